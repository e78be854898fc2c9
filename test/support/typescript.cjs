// Lets this process `require` TypeScript: what mocha and the programs that tests start are given (`--require`).
'use strict';
require('../../scripts/lib/typescript.cjs').register();
