/**
 * `orc`: what an agent's hooks and a person in a shell run. Starts at every hook of every agent: nothing is loaded here that the
 * verb does not need.
 */
declare const ORC_VERSION: string | undefined;
const version = typeof ORC_VERSION === 'string' ? ORC_VERSION : '0.0.0';

/** Standard output is not even opened unless something is to be said: opening it takes longer than all the rest. */
function hook(args: readonly string[]): void {
  const end = (): never => process.exit(0);
  process.on('uncaughtException', end);
  import('./hook.js')
    .then(({ runHook }) => runHook(args, process.env))
    .then((output) => (output === undefined ? end() : process.stdout.write(output, end)))
    .catch(end); // the agent's program must go on, whatever happens here
}

async function person(args: readonly string[]): Promise<number> {
  if (args[0] === '--version' || args[0] === 'version') {
    process.stdout.write(`orc ${version}\n`);
    return 0;
  }
  const { runVerb } = await import('./people.js');
  const { columns = 80, isTTY = false } = process.stdout;
  return runVerb(args, {
    env: process.env,
    cwd: process.cwd(),
    programFolder: __dirname,
    version,
    isInputTerminal: process.stdin.isTTY === true,
    isOutputTerminal: isTTY,
    isErrorTerminal: process.stderr.isTTY === true,
    columns: isTTY && columns > 0 ? columns : Infinity,
    write: (text) => void process.stdout.write(text),
    writeError: (text) => void process.stderr.write(text),
  });
}

const [verb, ...args] = process.argv.slice(2);
if (verb === 'hook') hook(args);
else {
  process.stdout.on('error', () => process.exit(0)); // who reads may stop at any time: `orc list | head`
  person(verb === undefined ? [] : [verb, ...args]).then(
    (code) => process.stdout.write('', () => process.exit(code)),
    (error: unknown) => {
      process.stderr.write(`orc: ${error instanceof Error ? error.message : String(error)}\n`, () => process.exit(1));
    },
  );
}
