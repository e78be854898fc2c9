// Node's headers, with which the web VS Code's native modules are compiled: beside Node, or those that node-gyp downloads
// or was told of.
import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { installLine } from './programs.mjs';
import { outputOf, which } from './project.mjs';

const HEADERS_HOST = 'https://nodejs.org/dist/index.json';
const HEADERS_WAIT_MS = 10_000;

/** Why the headers cannot be had, with what to do, or undefined. Asks nodejs.org only when they are nowhere here. */
export async function headersProblem({
  prefix = dirname(dirname(realpathSync(process.execPath))),
  cache = join(homedir(), '.cache', 'node-gyp', process.versions.node),
  isNpmTold = toldToNpm,
  isReachable = () => reaches(HEADERS_HOST),
} = {}) {
  if ([prefix, cache].some((folder) => existsSync(join(folder, 'include', 'node', 'node.h')))) return undefined;
  if (['nodedir', 'disturl', 'https-proxy', 'proxy'].some(isNpmTold)) return undefined; // npm knows a way that we cannot try
  if (await isReachable()) return undefined; // node-gyp downloads them
  const line = installLine(['headers'], { which });
  return `missing: Node's headers. They are not beside Node, and nodejs.org, from where they would be downloaded, does not answer. The Node of https://nodejs.org has them; for the system's own Node: ${line}`;
}

function toldToNpm(name) {
  const value = outputOf('npm', ['config', 'get', name]);
  return Boolean(value) && value !== 'undefined' && value !== 'null';
}

function reaches(url) {
  return fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(HEADERS_WAIT_MS) }).then(
    ({ ok }) => ok,
    () => false,
  );
}
