// Mocha's spec reporter that also records every result in the file named by CORE_RESULTS (see recordResults.ts), and ends a process
// that tests have left something running in: that is a failure with a name, not a run without an end.
'use strict';
const Mocha = require('mocha');
const { recordResults } = require('./recordResults.ts');

/** A process with nothing left to do ends by itself well before. */
const GRACE_MS = 60_000;

module.exports = class extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const recorded = process.env.CORE_RESULTS ? recordResults(runner, process.env.CORE_RESULTS) : undefined;
    runner.on(Mocha.Runner.constants.EVENT_RUN_END, () => setTimeout(() => this.#end(recorded), GRACE_MS).unref());
  }

  #end(recorded) {
    const held = process.getActiveResourcesInfo().filter((name) => !/^(TTY|Pipe)Wrap$/.test(name));
    const reason = `its tests are over, and this still runs in it: ${held.join(', ') || 'nothing that has a name'}`;
    process.stderr.write(`${reason}\n`);
    recorded?.failedToEnd(reason);
    process.on('exit', () => (process.exitCode = 1)); // after mocha's own
    process.exit();
  }
};
