// Imported first by every script: says so in one sentence when Node is too old for what follows.
// 20.19 is the oldest that the compiler, the linter and the formatter run on.
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    'Core Orchestrator needs Node 20.19 or newer; this is Node ' +
      process.versions.node +
      ' (' +
      process.execPath +
      '). Install one from https://nodejs.org or with your package manager.\n',
  );
  process.exit(2);
}
