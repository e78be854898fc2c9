import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** Files that `npm run verify` looks for titles in. */
const SELECTED = /\.(test\.ts|contract\.ts|walk\.mjs)$/;
const testRoot = path.resolve('test');
const known = Object.keys(JSON.parse(readFileSync('scripts/promises.json', 'utf8')) as Record<string, string>); // our own file

/** What a title says before its first inserted value; undefined when it begins with one. */
function titleOf(node: ts.Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (ts.isStringLiteralLike(node)) return node.text;
  return ts.isTemplateExpression(node) ? node.head.text : undefined;
}

function beginsWithId(title: string): boolean {
  const id = /^([A-Z]\d{1,3})[ ,:]/.exec(title)?.[1];
  return id !== undefined && known.includes(id);
}

/** `it(…)`, `describe(…)`, `it.step(…)`, and nothing that merely takes a text. */
function isTitled(call: ts.CallExpression): boolean {
  return /^(it|describe|specify|context|suite|test)(\.\w+)*$/.test(call.expression.getText());
}

function isTrials(node: ts.Node): node is ts.CallExpression {
  if (!ts.isCallExpression(node)) return false;
  const { expression } = node;
  const name = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
  return ts.isIdentifier(name) && name.text === 'trials';
}

/** Where a number of trials is asked for that no promise's run reaches. */
function unreachedTrials(file: string, source: string): string[] {
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node, isOfPromise: boolean): void => {
    if (isTrials(node) && !(isOfPromise && SELECTED.test(file)))
      found.push(`${file}:${parsed.getLineAndCharacterOfPosition(node.getStart()).line + 1}`);
    const title = ts.isCallExpression(node) && isTitled(node) ? titleOf(node.arguments[0]) : undefined;
    const isBelow = isOfPromise || (title !== undefined && beginsWithId(title));
    ts.forEachChild(node, (child) => visit(child, isBelow));
  };
  visit(parsed, false);
  return found;
}

function testFiles(folder = testRoot): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : testFiles(file);
    return /\.(ts|mjs|cjs)$/.test(entry.name) ? [file] : [];
  });
}

describe('numbers of trials', () => {
  it('are asked for only inside a test whose title begins with the id of a promise, so that a command reaches them', function () {
    this.timeout(60_000);
    const unreached = testFiles().flatMap((file) => {
      const source = readFileSync(file, 'utf8');
      return source.includes('trials(') ? unreachedTrials(path.relative('.', file), source) : [];
    });
    assert.deepEqual(unreached, []);
  });

  const planted: readonly (readonly [what: string, file: string, source: string, isReached: boolean])[] = [
    ['inside a test of a promise', 'a.test.ts', `it('R1 holds', () => { trials(1, 2, 3); });`, true],
    ['inside a test of two promises', 'a.test.ts', `it('R1 S2 hold', () => trials(1, 2, 3));`, true],
    ['inside a title with values', 'a.test.ts', 'it(`R1 ${a} holds`, () => trials(1, 2, 3));', true],
    ['in a suite of a promise', 'a.test.ts', `describe('R1 all', () => { const n = () => trials(1, 2, 3); });`, true],
    ['in a step of a walk', 'a.walk.mjs', `await it.step('R14 holds', async () => it.trials(1, 2, 3));`, true],
    ['in a contract', 'a.contract.ts', `it('R1 holds', () => trials(1, 2, 3));`, true],
    ['for a whole file', 'a.test.ts', `const N = trials(1, 2, 3); it('R1 holds', () => N);`, false],
    ['without an id', 'a.test.ts', `it('holds', () => trials(1, 2, 3));`, false],
    ['with an id that nobody knows', 'a.test.ts', `it('C31 holds', () => trials(1, 2, 3));`, false],
    ['with an id later in the title', 'a.test.ts', `it('proves R1', () => trials(1, 2, 3));`, false],
    ['in another test than the one with an id', 'a.test.ts', `it('R1', f); it('x', () => trials(1, 2, 3));`, false],
    ['in what only takes a text', 'a.test.ts', `eventually('R1 holds', () => trials(1, 2, 3));`, false],
    ['in a file that is not looked at', 'helper.ts', `it('R1 holds', () => trials(1, 2, 3));`, false],
  ];
  for (const [what, file, source, isReached] of planted) {
    it(`asked for ${what} are ${isReached ? 'reached' : 'found'}`, () =>
      assert.equal(unreachedTrials(file, source).length, isReached ? 0 : 1));
  }
});
