import assert from 'node:assert/strict';
import fc from 'fast-check';
import { requestText } from '../../../../../src/core/agents/signals/permissionText';
import { readableInput } from '../../../../../src/core/agents/signals/readableInput';
import { spellText } from '../../../../../src/core/agents/visibleText';
import { sizedMs, trials } from '../../../../support/trials';

const lines = (input: unknown): readonly string[] => readableInput(input).split('\n');

describe('a request in words', function () {
  this.timeout(sizedMs(20_000, 120_000, 600_000));

  it('begins with the command as it is, then names each field', () => {
    const input = {
      description: 'Run the tests',
      command: 'npm test &&\necho "done"',
      timeout: 1000,
      background: false,
    };
    assert.deepEqual(lines(input), [
      'npm test &&',
      'echo "done"',
      'description: Run the tests',
      'timeout: 1000',
      'background: false',
    ]);
    assert.deepEqual(lines({ command: ['bash', '-lc', "echo 'a b'"], workdir: '/x' }), [
      "bash -lc 'echo '\\''a b'\\'''",
      'workdir: /x',
    ]);
  });

  it('shows an edit as the path and what is taken out and put in, also one of several', () => {
    assert.deepEqual(lines({ file_path: '/x/a.ts', old_string: 'a\nb', new_string: 'c', replace_all: true }), [
      '/x/a.ts', '- a', '- b', '+ c', 'replace_all: true',
    ]); // prettier-ignore
    assert.deepEqual(lines({ file_path: '/x', edits: [{ old_string: 'a', new_string: 'b\nc' }, { old_string: 'd', new_string: '' }] }), [
      '/x', 'edits:', '  * - a', '    + b', '    + c', '  * - d', '    new_string: ',
    ]); // prettier-ignore
    assert.deepEqual(lines({ file_path: '/x', content: 'one\ntwo' }), ['/x', '+ one', '+ two']);
    assert.deepEqual(lines({ filePath: '/x', fileDiff: '-a\n+b' }), ['/x', 'fileDiff:', '  -a', '  +b']);
  });

  it('shows a question with its options', () => {
    const questions = [{ question: 'Which?', options: [{ label: 'A', description: 'aa' }, { label: 'B' }] }];
    const expected = ['* question: Which?', '  options:', '    * label: A', '      description: aa', '    * label: B'];
    assert.deepEqual(lines(questions), expected);
    assert.deepEqual(lines({ questions }), ['questions:', ...expected.map((line) => `  ${line}`)]);
  });

  it('reads input that is told as the text of JSON, with the command in the title', () => {
    const { title, detail, subject } = requestText('Bash', '{"command": "rm -rf x",\n "description": "clean"}', 'asks');
    assert.deepEqual([title, detail, subject], ['Bash: rm -rf x', 'rm -rf x\ndescription: clean', 'rm -rf x']);
    assert.equal(readableInput('{not json'), '{not json');
  });

  it('S24 shows text beside its value where it says more than that, and no rule looks at it', () => {
    const told = '{"command":"rm -rf x","command":"ls"}';
    const { detail, subject } = requestText('Bash', told, 'asks');
    assert.equal(detail, `ls\nas it was told:\n  ${told}`);
    assert.equal(subject, undefined);
  });

  it('S24 leaves out nothing of any input: every name and every text is there, the invisible spelled out', () => {
    const leaves = (value: unknown): readonly string[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([name, field]) => [...(Array.isArray(value) ? [] : [name]), ...leaves(field)])
        : [typeof value === 'string' ? value : JSON.stringify(value)];
    const subjects = ['command', 'old_string', 'new_string', 'content', 'path'];
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a\nb', '\u202egpj', '\u001b[31m', ''));
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 3 }, text, fc.integer(), fc.boolean(), fc.constant(null), tie('list'), tie('fields')),
      list: fc.array(tie('any'), { maxLength: 4 }),
      fields: fc.dictionary(fc.oneof(fc.constantFrom(...subjects), fc.stringMatching(/^[a-z]{1,8}$/)), tie('any'), { maxKeys: 5 }),
    })).fields; // prettier-ignore
    fc.assert(
      fc.property(value, (input) => {
        const { detail, isCut } = requestText('Tool', input, 'asks');
        const flat = detail.replace(/\n\s*/g, '\n');
        for (const leaf of leaves(input)) {
          if (subjects.includes(leaf) || isCut) continue; // the name of what is run is not repeated
          for (const line of spellText(leaf).split('\n'))
            assert.ok(flat.includes(line.trimStart()), `${line} of ${detail}`);
        }
      }),
      { numRuns: trials(300, 3_000, 20_000) },
    );
  });
});
