// Imported first by every script: says so in one sentence when Node is too old for what follows.
const major = Number(process.versions.node.split('.')[0]);
if (major < 20) {
  process.stderr.write(
    'Core Orchestrator needs Node 20 or newer; this is Node ' +
      process.versions.node +
      ' (' +
      process.execPath +
      '). Install one from https://nodejs.org or with your package manager.\n',
  );
  process.exit(2);
}
