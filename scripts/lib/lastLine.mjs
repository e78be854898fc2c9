// Imported by `npm test` before anything else: however the script ends, its last line counts (`N passed, N failed, N skipped`).
// What ends it before all tests have run (packages that cannot be installed, Node too old, a name that no tier has, an error
// of the script itself) counts as one failure, and is never an exit code of 0.
let isTold = false;

/** Prints the last line. Nothing is printed after it. */
export function tellCounts({ passed, failed, skipped }) {
  isTold = true;
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
}

process.on('exit', (code) => {
  if (isTold) return;
  if (code === 0) process.exitCode = 1;
  tellCounts({ passed: 0, failed: 1, skipped: 0 });
});
