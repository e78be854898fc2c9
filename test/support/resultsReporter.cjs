// Mocha's spec reporter that also records every result in the file named by CORE_RESULTS (see recordResults.ts).
'use strict';
const Mocha = require('mocha');
const { recordResults } = require('./recordResults.ts');

module.exports = class extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    if (process.env.CORE_RESULTS) recordResults(runner, process.env.CORE_RESULTS);
  }
};
