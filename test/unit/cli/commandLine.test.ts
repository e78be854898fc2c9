import assert from 'node:assert/strict';
import { parseCommandLine, timeoutOf } from '../../../src/cli/commandLine';
import { chooseAgent } from '../../../src/cli/context';
import { CliError, ExitCode } from '../../../src/cli/exitCodes';
import { freeName } from '../../../src/cli/agentVerbs';
import { help, helpOf } from '../../../src/cli/help';
import { VERBS } from '../../../src/cli/verbTable';
import type { AgentRow } from '../../../src/cli/engineAnswers';

const row = (id: string, name = id): AgentRow => ({
  id,
  name,
  typeId: 'demo',
  lifecycle: 'running',
  activity: 'idle',
  sinceMs: 0,
  reason: '',
});
const failure = (work: () => unknown): CliError => {
  try {
    work();
  } catch (error) {
    if (error instanceof CliError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('the command line of orc', () => {
  it('reads a verb, its operands and its options in any order', () => {
    const { verb, operands, options } = parseCommandLine(['prompt', '--wait', 'reviewer', 'do', '--json', 'it']);
    assert.deepEqual(
      [verb.name, operands, options['wait'], options['json']],
      ['prompt', ['reviewer', 'do', 'it'], true, true],
    );
  });

  it('says in its own words what is wrong with an option', () => {
    const told = (...args: string[]): string => failure(() => parseCommandLine(args)).message;
    assert.equal(told('receipts', 'a', '--limit', '-3'), 'receipts: --limit takes a value');
    assert.equal(told('receipts', 'a', '--limit'), 'receipts: --limit takes a value');
    assert.equal(told('list', '--json=x'), 'list: --json takes no value');
    assert.equal(told('list', '--nosuch'), 'list: there is no option --nosuch');
    assert.equal(told('list', '-3'), 'list: there is no option -3');
  });

  it('takes "agent" before a verb', () => {
    assert.equal(parseCommandLine(['agent', 'list']).verb.name, 'list');
  });

  it('keeps what follows -- for the agent', () => {
    const { operands, rest } = parseCommandLine(['start', 'codex', '--name', 'A', '--', '--model', 'x', '--']);
    assert.deepEqual([operands, rest], [['codex'], ['--model', 'x', '--']]);
    assert.deepEqual(parseCommandLine(['prompt', 'a', '--', '--help']).rest, ['--help']);
    assert.deepEqual(parseCommandLine(['stop', '--', '-odd']).operands, ['-odd']);
  });

  it('tells what is wrong, and what would be right', () => {
    const wrong = [
      ['nothing'],
      ['stat'],
      ['screen'],
      ['screen', 'a', 'b'],
      ['status', '--wait'],
      ['start', '--name'],
      ['rename', 'a'],
    ];
    for (const args of wrong) {
      const error = failure(() => parseCommandLine(args));
      assert.equal(error.exitCode, ExitCode.Usage);
      assert.ok(error.advice, args.join(' '));
    }
    assert.match(failure(() => parseCommandLine(['stat'])).advice ?? '', /orc status/);
  });

  it('takes a time-out in seconds', () => {
    assert.equal(timeoutOf(parseCommandLine(['status', '--timeout', '1.5'])), 1500);
    for (const text of ['0', '-1', 'x', '1e9', 'Infinity'])
      assert.equal(
        failure(() => timeoutOf(parseCommandLine(['status', `--timeout=${text}`]))).exitCode,
        ExitCode.Usage,
      );
  });

  it('names every verb in its help', () => {
    for (const verb of VERBS) {
      assert.ok(help().includes(`orc ${verb.name} `));
      assert.ok(helpOf(verb).includes('--workspace'));
    }
  });
});

describe('an agent named on the command line', () => {
  const agents = [
    row('reviewer', 'Reviewer'),
    row('reviewer-2', 'Reviewer'),
    row('builder', 'Builder'),
    row('b', 'reviewer-2'),
  ];

  it('is found by id first, then by name, then by name in other letters', () => {
    assert.equal(chooseAgent(agents, 'reviewer-2').id, 'reviewer-2');
    assert.equal(chooseAgent(agents, 'Builder').id, 'builder');
    assert.equal(chooseAgent([row('x', 'My Agent')], 'my agent').id, 'x');
  });

  it('must be one: several of a name are listed', () => {
    const error = failure(() => chooseAgent(agents, 'Reviewer'));
    assert.equal(error.exitCode, ExitCode.Usage);
    assert.match(error.advice ?? '', /reviewer, reviewer-2/);
  });

  it('must exist: those that do are listed', () => {
    const error = failure(() => chooseAgent(agents, 'nobody\u001b[2J'));
    assert.deepEqual([error.exitCode, error.message], [ExitCode.NotFound, 'there is no agent "nobody"']);
  });

  it('is told by the names that there are, typed as in a shell; by the id where a name leads to several', () => {
    const advice = (of: readonly AgentRow[]) => failure(() => chooseAgent(of, 'nobody')).advice;
    assert.equal(advice(agents), 'There are: reviewer, reviewer-2, Builder, b.');
    assert.equal(advice([row('a-7', 'My agent'), row('b-1', 'Bob')]), "There are: 'My agent', Bob.");
    assert.match(advice([]) ?? '', /^There are no agents; /);
    const many = Array.from({ length: 23 }, (_, n) => row(`a-${n}`, `A${n}`));
    assert.match(advice(many) ?? '', /, A19 and 3 more\.$/);
  });

  it('gets a free name from its type', () => {
    assert.deepEqual(
      [freeName('codex', []), freeName('codex', [row('a', 'Codex'), row('b', 'codex 2')])],
      ['codex', 'codex 3'],
    );
  });
});
