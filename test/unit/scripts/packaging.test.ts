import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

interface PackagingScript {
  listOf(names: readonly string[]): readonly string[];
  linksAstray(entries: readonly { readonly name: string; read(): Buffer }[]): readonly string[];
}
interface PageScript {
  pageReadme(readme: string): string;
  relativeTargets(markdown: string): readonly string[];
}
const load = (file: string): Promise<unknown> => import(pathToFileURL(path.resolve('scripts/lib', file)).href);
const packaging = load('packaging.mjs') as Promise<PackagingScript>;
const page = load('pageReadme.mjs') as Promise<PageScript>;

describe('the list of what is packaged', () => {
  it('counts the parts that the bundler names by their content', async () => {
    const { listOf } = await packaging;
    const chunk = (hash: string): string => `extension/dist/parts/chunk-${hash}.js`;
    const one = [chunk('AAAAAAA1'), 'extension/dist/extension.js'];
    assert.deepEqual(listOf(one), ['extension/dist/extension.js', 'extension/dist/parts/chunk-*.js']);
    assert.deepEqual(listOf([...one, chunk('AAAAAAA2')])[1], 'extension/dist/parts/chunk-*.js (2)');
  });
});

describe('the page of the extension', () => {
  it('has the text of the README, and nothing that leads to what is not packaged', async () => {
    const { pageReadme, relativeTargets } = await page;
    const readme = readFileSync('README.md', 'utf8');
    assert.ok(relativeTargets(readme).length > 5);
    const text = pageReadme(readme);
    assert.deepEqual(relativeTargets(text), []);
    for (const kept of ['# Core Orchestrator', '## What you get', '## A fleet file', '## Requirements', 'The manual of `orc` has'])
      assert.ok(text.includes(kept), kept); // prettier-ignore
    assert.doesNotMatch(text, /npm (start|test)|docs\/|\n\n\n/);
    assert.throws(() => pageReadme('# X\n'), /no section/);
  });

  it('is told of every kind of link that leads astray', async () => {
    const { linksAstray } = await packaging;
    const file = (name: string, text: string) => ({ name, read: () => Buffer.from(text) });
    const text =
      '[a](docs/a.md) ![b](media/b.png) [c](https://x.y) [d](#d)\n[e]: ../e.md\n<img src="f.png"> `[g](g.md)` [h](media/icon.png#x)';
    const entries = [file('extension/readme.md', text), file('extension/media/icon.png', '')];
    assert.deepEqual(
      linksAstray(entries).map((told) => told.split(': ')[1]),
      ['docs/a.md', 'media/b.png', '../e.md', 'f.png'],
    );
  });
});
