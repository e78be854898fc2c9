import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { csv, csvField } from '../../../../../src/core/data/processing/csvExport';
import type { JsonObject } from '../../../../../src/core/data/processing/dataTransformation';
import { jsonArray, ndjson } from '../../../../../src/core/data/processing/jsonExport';
import {
  codeFence,
  escapeMarkdown,
  markdownSections,
  markdownTable,
} from '../../../../../src/core/data/processing/markdownExport';
import { otlpMetrics } from '../../../../../src/core/data/processing/otlpExport';
import { collect, jsonRecord, refusal } from './support';

const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'grapheme' }),
  fc.string({
    unit: fc.constantFrom('"', ',', '\r', '\n', '\t', '=', '+', '-', '@', "'", ' ', 'x', '`', '|', '<', '&', '*', '_'),
  }),
);

describe('JSON and NDJSON', () => {
  it('are read back as what was written', () =>
    fc.assert(
      fc.asyncProperty(fc.array(jsonRecord), async (records) => {
        const expected: unknown = JSON.parse(JSON.stringify(records));
        assert.deepEqual(JSON.parse((await collect(jsonArray(), records)).join('')), expected);
        const lines = (await collect(ndjson(), records)).join('').split('\n');
        assert.equal(lines.pop(), '');
        assert.deepEqual(
          lines.map((line) => JSON.parse(line) as unknown),
          expected,
        );
      }),
    ));

  it('refuse what JSON cannot express', async () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    for (const item of [cycle, undefined, () => 1, { n: 1n }]) {
      assert.equal(await refusal(ndjson(), item), 'ndjson.notJson');
      assert.equal(await refusal(jsonArray(), item), 'json.notJson');
    }
  });
});

describe('CSV', () => {
  /** RFC 4180, on its own: fields with whether they were quoted. */
  function parse(text: string): { readonly value: string; readonly isQuoted: boolean }[][] {
    const rows: { value: string; isQuoted: boolean }[][] = [];
    let at = 0;
    while (at < text.length) {
      const row: { value: string; isQuoted: boolean }[] = [];
      for (;;) {
        let value = '';
        const isQuoted = text[at] === '"';
        if (isQuoted) {
          for (at++; ; at++) {
            if (at >= text.length) throw new Error('a quote is open');
            if (text[at] !== '"') value += text[at];
            else if (text[at + 1] === '"') value += text[++at];
            else break;
          }
          at++;
        } else while (at < text.length && text[at] !== ',' && text[at] !== '\r') value += text[at++];
        row.push({ value, isQuoted });
        if (text[at] === ',') at++;
        else break;
      }
      if (text.slice(at, at + 2) !== '\r\n') throw new Error(`no end of line at ${at}`);
      at += 2;
      rows.push(row);
    }
    return rows;
  }

  const guarded = (text: string): string => (/^[=+\-@\t\r\n\0]/.test(text) ? `'${text}` : text);

  it('is read back by an independent parser', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(anyText, anyText, fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })))),
        async (rows) => {
          const records = rows.map(([a, b, n]) => ({ a, b, n }));
          const columns = [
            { at: 'a', header: 'a' },
            { at: 'b', header: '=b' },
            { at: 'n', header: 'n' },
          ];
          const [head, ...body] = parse((await collect(csv({ columns }), records)).join(''));
          assert.deepEqual(
            head?.map(({ value }) => value),
            ['a', "'=b", 'n'],
          );
          assert.deepEqual(
            body.map((fields) => fields.map(({ value }) => value)),
            rows.map(([a, b, n]) => [guarded(a), guarded(b), n === null ? '' : String(n)]),
          );
          for (const [index, fields] of body.entries())
            assert.equal(fields[0]?.isQuoted || rows[index]?.[0] !== '', true);
        },
      ),
    ));

  it('lets no text begin as a formula does, and leaves numbers alone', () => {
    for (const text of ['=1+1', '+1', '-1', '@x', '\tx', '\rx', '\n=1+1', '\0=1+1', '=cmd|"/c calc"!A1'])
      assert.match(csvField(text), /^"?'/, JSON.stringify(text));
    assert.equal(csvField(-5.5), '-5.5');
    assert.equal(csvField('-5.5'), "'-5.5");
    assert.equal(csvField(true), 'true');
    assert.equal(csvField({ a: '=1' }), '"{""a"":""=1""}"');
  });

  it('takes its columns from the first record and loses nothing in silence', async () => {
    assert.equal((await collect(csv(), [{ a: 1, b: null }, { b: 'x' }])).join(''), 'a,b\r\n1,\r\n,x\r\n');
    assert.equal((await collect(csv(), [{ a: null }, { a: '' }])).join(''), 'a\r\n""\r\n""\r\n');
    await assert.rejects(collect(csv(), [{ a: 1 }, { b: 2 }]), { code: 'csv.unknownColumn' });
    assert.equal((await collect(csv({ columns: [{ at: 'a', header: 'A' }] }), [])).join(''), 'A\r\n');
    assert.deepEqual(await collect(csv({ header: false }), []), []);
    assert.equal(await refusal(csv(), { a: Number.NaN }), 'csv.notFinite');
  });
});

describe('Markdown', () => {
  interface Token {
    readonly type: string;
    readonly content: string;
    readonly children: readonly Token[] | null;
  }
  /** CommonMark with tables, strikethrough and links that are not marked as such: the parser of VS Code's preview, which a tool of ours brings along. */
  let parse: (markdown: string) => readonly Token[];
  before(() => {
    const fromVsce = createRequire(require.resolve('@vscode/vsce/package.json'));
    const markdownIt = fromVsce('markdown-it') as (options: object) => {
      readonly linkify: { set(options: object): void };
      parse(text: string, env: object): Token[];
    };
    const parser = markdownIt({ html: true, linkify: true });
    parser.linkify.set({ fuzzyLink: false });
    parse = (markdown) => parser.parse(markdown, {});
  });
  const plain = (text: string): string =>
    text
      .replace(/\s+/gu, ' ')
      .replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '')
      .trim();
  const hostile = fc.array(
    fc.oneof(
      fc.constantFrom(...'\\`*_~|$<>[]()@&#:!+=-.&"\'{}^ a1é', '\n', '__', '**', '~~', '&amp;', '&#65;', '<b>', '<!--', '[x](y)'),
      fc.constantFrom('![i](u)', 'http://a.bc', 'www.a.bc', 'a@b.cd', '<http://a.b>', '`', '\\', '# ', '1. ', '- ', '> ', ' #', '---', '| '),
    ),
    { maxLength: 12 },
  ).map((parts) => parts.join('')); // prettier-ignore

  it('shows every text as it is, wherever it stands: nothing of it is markup', () =>
    fc.assert(
      fc.property(fc.oneof(anyText, hostile), (text) => {
        const [wanted, escaped] = [plain(text), escapeMarkdown(text)];
        const shown = (markdown: string): readonly string[] =>
          parse(markdown)
            .filter(({ type }) => type === 'inline')
            .map(({ children }) => (children ?? []).map(({ type, content }) => `${type} ${content}`).join());
        for (const begin of ['', '## ', '- '])
          for (const name of ['x', 'x:'])
            assert.deepEqual(shown(`${begin}${name} ${escaped}`), [`text ${name} ${wanted}`.trim()], escaped);
        if (wanted === '') return;
        for (const begin of ['', '## ', '- ']) assert.deepEqual(shown(begin + escaped), [`text ${wanted}`], escaped);
        const table = `| a | b |\n| --- | --- |\n| ${escaped} | c |\n`;
        assert.deepEqual(shown(table), ['text a', 'text b', `text ${wanted}`, 'text c'], escaped);
      }),
    ));

  it('leaves alone what is no markup where it stands', () => {
    for (const text of [
      '2026-11-23T16:10:40.000Z Prompt',
      '/home/me/my_app-2/src (main)',
      'running, idle since 5 %; "ok"',
      "npm run test:unit -- --grep 'a b'",
      'a + b = c > d!',
      'C:\\temp',
    ])
      // prettier-ignore
      assert.equal(escapeMarkdown(text), text);
    assert.equal(escapeMarkdown('see *this* <b> & https://a.b'), 'see \\*this\\* \\<b> & https\\://a.b');
  });

  it('has fences that no text ends', () =>
    fc.assert(
      fc.property(anyText, (text) => {
        const lines = codeFence(text).split('\n');
        const [fence] = lines;
        assert.equal(lines.pop(), '');
        assert.equal(lines.pop(), fence);
        for (const line of lines.slice(1)) assert.equal(line.includes(fence!), false);
      }),
    ));

  it('makes tables and sections of text that stays text', async () => {
    const columns = [
      { at: 'a', header: 'A|B' },
      { at: 'b', header: 'b' },
    ];
    assert.equal(
      (await collect(markdownTable({ columns }), [{ a: '<img src=x>\n| x', b: { c: 1 } }, {}])).join(''),
      '| A\\|B | b |\n| --- | --- |\n| \\<img src=x> \\| x | {"c":1} |\n|  |  |\n',
    );
    const section = markdownSections({ title: 'from', fields: ['at', 'none'], body: 'text' });
    assert.equal(
      (await collect(section, [{ from: '# you\u202e', at: 5, text: '```js\nx\n```\u0007' }])).join(''),
      '## \\# you\n\n- at: 5\n\n````\n```js\nx\n```\n````\n\n',
    );
  });
});

describe('OTLP/JSON', () => {
  const metrics = [
    { at: 'n', name: 'requests', unit: '{request}', kind: 'deltaSum' },
    { at: 'p95', name: 'duration', unit: 'ms' },
  ] as const;
  const row: JsonObject = { windowStartMs: 1_000, windowEndMs: 2_000.5, agent: 'a', n: 7, p95: 1.5 };

  it('tells rows as points of metrics, 64-bit integers as texts', async () => {
    const [line, ...others] = await collect(
      otlpMetrics({ metrics, attributes: ['agent', 'none'], resource: [['service.name', 'x']], scope: { name: 's' } }),
      [row, { ...row, p95: null }],
    );
    assert.deepEqual(others, []);
    const attributes = [{ key: 'agent', value: { stringValue: 'a' } }];
    const times = { startTimeUnixNano: '1000000000', timeUnixNano: '2000500000' };
    const point = { attributes, ...times, asInt: '7' };
    assert.deepEqual(JSON.parse(line!), {
      resourceMetrics: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'x' } }] },
          scopeMetrics: [
            {
              scope: { name: 's' },
              metrics: [
                {
                  name: 'requests',
                  unit: '{request}',
                  sum: { dataPoints: [point, point], aggregationTemporality: 1, isMonotonic: true },
                },
                { name: 'duration', unit: 'ms', gauge: { dataPoints: [{ attributes, ...times, asDouble: 1.5 }] } },
              ],
            },
          ],
        },
      ],
    });
  });

  it('writes a line for so many rows, and refuses what is no point', async () => {
    const lines = await collect(otlpMetrics({ metrics, rowsPerLine: 2 }), [row, row, row]);
    assert.equal(lines.length, 2);
    assert.equal(await refusal(otlpMetrics({ metrics }), { ...row, n: 'x' }), 'otlp.notANumber');
    assert.equal(await refusal(otlpMetrics({ metrics }), { ...row, windowEndMs: null }), 'otlp.notATime');
  });
});
