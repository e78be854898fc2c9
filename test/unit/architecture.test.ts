import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import ts from 'typescript';

/** Sibling modules that each module of src/core may import. `base` is always allowed. */
const CORE_MODULES: Readonly<Record<string, readonly string[]>> = {
  base: [],
  agents: [],
  communication: [],
  data: [],
  tmux: ['agents'],
  execution: ['agents'],
  worktrees: ['agents'],
  services: ['data'],
  monitoring: ['agents', 'communication', 'execution'],
  gateway: ['agents', 'communication', 'execution', 'services'],
};
/** Files directly in src/core that a module may import all the same: the interface through which the outside is served. */
const CORE_FILES: Readonly<Record<string, readonly string[]>> = { gateway: ['engine', 'engineErrors'] };
/** Folders of src that each folder of src may import, besides itself. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  core: ['shared'],
  vscode: ['core', 'shared'],
  host: ['core', 'shared'],
  cli: ['shared'],
  plugins: ['shared'],
  webview: ['shared'],
  demo: [],
};
const NATIVE_MODULES = new Set(['node-pty']);
const COMPOSITION_ROOT = /^(vscode|host)\/compose\.ts$/;

const sourceRoot = path.resolve('src');
const isBuiltin = (specifier: string): boolean => specifier.startsWith('node:') || builtinModules.includes(specifier);
const isInNodeFolder = (file: string): boolean => /(^|\/)node\//.test(file);

/** Every module a source names: imports and exports, of types too, `import()`, `require`. */
function importsOf(source: string): string[] {
  return ts.preProcessFile(source, true, true).importedFiles.map((file) => file.fileName);
}

/** Why `from` (relative to src) may not import `specifier`; undefined when it may. */
function objection(from: string, specifier: string): string | undefined {
  const layer = from.split('/')[0] ?? '';
  if (!(layer in LAYERS)) return `src/${layer} is no layer that ARCHITECTURE.md knows`;
  return specifier.startsWith('.')
    ? objectionToOwn(from, layer, path.posix.normalize(path.posix.join(path.posix.dirname(from), specifier)))
    : objectionToPackage(from, layer, specifier);
}

function objectionToPackage(from: string, layer: string, specifier: string): string | undefined {
  if (specifier === 'vscode') return layer === 'vscode' ? undefined : 'only src/vscode sees the vscode API';
  if (layer === 'shared') return 'src/shared imports nothing';
  if ((layer === 'cli' || layer === 'plugins') && !isBuiltin(specifier))
    return `src/${layer} brings no packages along: it is loaded for every hook`;
  if (layer === 'webview' && isBuiltin(specifier)) return 'src/webview runs in a browser';
  const isMachine = isBuiltin(specifier) || NATIVE_MODULES.has(specifier);
  if (layer === 'core' && isMachine && !isInNodeFolder(from)) return 'Node and native modules belong in a node/ folder';
  return undefined;
}

function objectionToOwn(from: string, layer: string, to: string): string | undefined {
  const toLayer = to.split('/')[0] ?? '';
  if (to === '../package.json' && isInNodeFolder(from)) return undefined; // its version
  if (toLayer === '..') return 'src imports nothing outside src';
  if (toLayer !== layer && !LAYERS[layer]?.includes(toLayer)) return `src/${layer} may not import src/${toLayer}`;
  if (isInNodeFolder(to) && !isInNodeFolder(from) && !COMPOSITION_ROOT.test(from))
    return 'adapters are built in a compose.ts only';
  if (layer !== 'core' || toLayer !== 'core') return undefined;
  const [, module = '', ...inside] = from.split('/');
  const [, toModule = '', ...toInside] = to.split('/');
  // Files directly in src/core, and in src/core/node, wire the modules together; no module knows them.
  if (inside.length === 0 || module === 'node') return undefined;
  if (toInside.length === 0 && CORE_FILES[module]?.includes(toModule)) return undefined;
  if (toInside.length === 0 || toModule === 'node') return `core/${module} may not import the wiring in src/core`;
  if (!(module in CORE_MODULES)) return `core/${module} is no module that ARCHITECTURE.md knows`;
  if (toModule === module || toModule === 'base' || CORE_MODULES[module]?.includes(toModule)) return undefined;
  return `core/${module} may not import core/${toModule}`;
}

function sourceFiles(): string[] {
  return readdirSync(sourceRoot, { recursive: true })
    .map((file) => String(file).replaceAll(path.sep, '/'))
    .filter((file) => /\.tsx?$/.test(file))
    .sort();
}

describe('architecture', () => {
  it('every import follows the direction that ARCHITECTURE.md states', () => {
    const bad = sourceFiles().flatMap((file) =>
      importsOf(readFileSync(path.join(sourceRoot, file), 'utf8')).flatMap((specifier) => {
        const why = objection(file, specifier);
        return why === undefined ? [] : [`${file} -> ${specifier}: ${why}`];
      }),
    );
    assert.deepEqual(bad, []);
  });

  it('sees every way to name a module', () => {
    const ways = [
      `import { a } from 'vscode';`,
      `import type { A } from 'vscode';`,
      `import 'vscode';`,
      `export * from 'vscode';`,
      `export { a } from 'vscode';`,
      `type A = import('vscode').A;`,
      `const a = await import('vscode');`,
      `const a = await import(\`vscode\`);`,
      `const a = require('vscode');`,
      `import a = require('vscode');`,
    ];
    assert.deepEqual(ways.map(importsOf), Array(ways.length).fill(['vscode']));
  });

  const planted: readonly (readonly [from: string, specifier: string, why: string | undefined])[] = [
    ['core/agents/agent.ts', 'vscode', 'only src/vscode sees the vscode API'],
    ['core/agents/agent.ts', '../../vscode/manifest', 'src/core may not import src/vscode'],
    ['core/agents/agent.ts', 'node:fs', 'Node and native modules belong in a node/ folder'],
    ['core/agents/agent.ts', 'fs', 'Node and native modules belong in a node/ folder'],
    ['core/tmux/mirror.ts', 'node-pty', 'Node and native modules belong in a node/ folder'],
    ['core/agents/agent.ts', '../tmux/tmuxTarget', 'core/agents may not import core/tmux'],
    ['core/data/dataStore.ts', '../agents/agent', 'core/data may not import core/agents'],
    ['core/base/event.ts', '../agents/agent', 'core/base may not import core/agents'],
    ['core/agents/agent.ts', '../engine', 'core/agents may not import the wiring in src/core'],
    ['core/tmux/node/tmuxProgram.ts', '../../node/localWorkspace', 'core/tmux may not import the wiring in src/core'],
    ['core/orchestrator.ts', './node/localWorkspace', 'adapters are built in a compose.ts only'],
    ['core/agents/agent.ts', './node/processTable', 'adapters are built in a compose.ts only'],
    ['core/orchestrator.ts', './data/node/fileDataStore', 'adapters are built in a compose.ts only'],
    ['vscode/extension.ts', '../core/data/node/fileDataStore', 'adapters are built in a compose.ts only'],
    ['vscode/extension.ts', '../../test/support/eventually', 'src imports nothing outside src'],
    ['core/misc/thing.ts', './other', 'core/misc is no module that ARCHITECTURE.md knows'],
    ['utils/thing.ts', './other', 'src/utils is no layer that ARCHITECTURE.md knows'],
    ['shared/protocol.ts', 'jsonc-parser', 'src/shared imports nothing'],
    ['webview/dashboard/main.ts', 'node:path', 'src/webview runs in a browser'],
    ['webview/dashboard/main.ts', '../../core/base/event', 'src/webview may not import src/core'],
    ['demo/demoAgent.ts', '../core/base/event', 'src/demo may not import src/core'],
    ['cli/orc.ts', '../core/agents/agent', 'src/cli may not import src/core'],
    ['cli/orc.ts', 'jsonc-parser', 'src/cli brings no packages along: it is loaded for every hook'],
    ['host/host.ts', '../vscode/manifest', 'src/host may not import src/vscode'],
    ['host/host.ts', '../core/node/localWorkspace', 'adapters are built in a compose.ts only'],
    ['cli/orc.ts', '../shared/gatewayProtocol', undefined],
    ['cli/hook.ts', 'node:net', undefined],
    ['host/compose.ts', '../core/node/localWorkspace', undefined],
    ['vscode/compose.ts', '../core/data/node/fileDataStore', undefined],
    ['core/node/localWorkspace.ts', '../tmux/node/tmuxAgentHost', undefined],
    ['core/gateway/methods.ts', '../engine', undefined],
    ['core/gateway/methods.ts', '../orchestrator', 'core/gateway may not import the wiring in src/core'],
    ['core/node/localWorkspace.ts', '../engine', undefined],
    ['core/node/localWorkspace.ts', '../../../package.json', undefined],
    ['core/orchestrator.ts', '../../package.json', 'src imports nothing outside src'],
    ['core/data/node/storeWorker.ts', './sqlJsDriver', undefined],
    ['core/data/node/storeWorker.ts', 'node:fs', undefined],
    ['core/orchestrator.ts', './tmux/tmuxTarget', undefined],
    ['core/tmux/tmuxAgentHost.ts', '../agents/agentHost', undefined],
    ['vscode/extension.ts', 'node:path', undefined],
  ];
  for (const [from, specifier, why] of planted) {
    it(`${why === undefined ? 'allows' : 'refuses'} ${from} -> ${specifier}`, () =>
      assert.equal(objection(from, specifier), why));
  }
});
