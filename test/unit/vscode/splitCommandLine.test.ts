import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { splitCommandLine } from '../../../src/vscode/commands/splitCommandLine';

const split = (text: string): readonly string[] | string => {
  const result = splitCommandLine(text);
  return result.ok ? result.argv : result.problem;
};

describe('splitting a command line', () => {
  it('splits at blanks and joins quoted parts', () => {
    assert.deepEqual(split('  python3  "my agent.py" --name=\'a b\' c\\ d "" '), [
      'python3',
      'my agent.py',
      '--name=a b',
      'c d',
      '',
    ]);
  });

  it('leaves what a shell would act on as ordinary characters', () => {
    assert.deepEqual(split('echo $HOME $(id) `id` a|b > x; *.ts &&'), [
      'echo',
      '$HOME',
      '$(id)',
      '`id`',
      'a|b',
      '>',
      'x;',
      '*.ts',
      '&&',
    ]);
  });

  it('keeps a backslash inside double quotes unless it escapes', () => {
    assert.deepEqual(split('a "x\\ny\\"z\\\\"'), ['a', 'x\\ny"z\\']);
    assert.deepEqual(split("a 'x\\'"), ['a', 'x\\']);
  });

  it('says what is wrong', () => {
    assert.equal(split(' '), 'Give a command.');
    assert.equal(split('""'), 'Give a command.');
    assert.equal(split('a "b'), 'A quotation mark (") is not closed.');
    assert.equal(split('a \\'), 'The command line ends with a lone backslash.');
    assert.equal(split('a\0b'), 'The command line contains a NUL character.');
  });

  it('gives back any vector that was written with quotes', () => {
    const element = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'));
    const vector = fc.array(element, { minLength: 1 }).filter(([first]) => first !== '');
    const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
    fc.assert(fc.property(vector, (argv) => assert.deepEqual(split(argv.map(quote).join(' ')), argv)));
  });
});
