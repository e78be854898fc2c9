import assert from 'node:assert/strict';
import { builtInTypes } from '../../../../../src/core/agents/builtInTypes';
import { parseAgentType } from '../../../../../src/core/agents/agentTypeParser';
import { readStatusFile, statusFilePlace } from '../../../../../src/core/agents/signals/statusFile';

const CLAUDE = builtInTypes().find(({ id }) => id === 'claude-code')?.statusFile;
const PROCESS = { pid: 2345, startTime: '2348070' };

/** As Claude Code 2.1.197 writes it. */
function aStatus(changes: Readonly<Record<string, unknown>>): string {
  const status = { pid: 2345, procStart: '2348070', version: '2.1.197', kind: 'interactive', updatedAt: 1 };
  return JSON.stringify({ ...status, ...changes });
}

describe('statusFile', () => {
  it('says what Claude Code says of itself', () => {
    assert.ok(CLAUDE);
    const read = (changes: Readonly<Record<string, unknown>>): string | undefined =>
      readStatusFile(CLAUDE, aStatus(changes), PROCESS)?.activity;
    assert.equal(read({ status: 'busy' }), 'busy');
    assert.equal(read({ status: 'idle' }), 'idle');
    assert.equal(read({ status: 'waiting', waitingFor: 'permission prompt' }), 'awaiting_approval');
    // A picker that the person opened, and what nobody knows.
    assert.equal(read({ status: 'waiting', waitingFor: 'dialog open' }), 'unknown');
    assert.equal(read({ status: 'shell' }), 'unknown');
    assert.equal(read({}), 'unknown');
  });

  it('says nothing of another process with the same id, nor while it is being written', () => {
    assert.ok(CLAUDE);
    assert.equal(readStatusFile(CLAUDE, aStatus({ status: 'busy', procStart: '17' }), PROCESS), undefined);
    const old = aStatus({ status: 'waiting', waitingFor: 'permission prompt' });
    const half = aStatus({ status: 'idle' });
    assert.equal(readStatusFile(CLAUDE, half + old.slice(half.length), PROCESS), undefined);
    assert.equal(readStatusFile(CLAUDE, '', PROCESS), undefined);
    // macOS states start times in words: they are not compared.
    const onMac = { pid: 2345, startTime: 'Sun Nov 22 10:00:00 2026' };
    assert.equal(readStatusFile(CLAUDE, aStatus({ status: 'busy' }), onMac)?.activity, 'busy');
  });

  it('is looked for below the home of the program, by its process', () => {
    assert.ok(CLAUDE);
    assert.deepEqual(statusFilePlace(CLAUDE, 77), {
      pid: 77,
      variable: 'CLAUDE_CONFIG_DIR',
      folder: '.claude',
      path: 'sessions/77.json',
    });
  });

  it('never leads outside of that home', () => {
    for (const path of ['../x', '/etc/passwd', 'a/../../b', './a', 'a/..']) {
      const states = [{ id: 'works', when: [{ path: '/status', equals: 'busy' }], activity: 'busy' }];
      const statusFile = { home: { variable: 'HOME_OF_IT', folder: '.it' }, path, states };
      const result = parseAgentType({ id: 'it', label: 'It', command: ['it'], statusFile });
      assert.ok(!result.ok, path);
      assert.deepEqual(
        result.problems.map((problem) => problem.path),
        ['statusFile.path'],
      );
    }
  });
});
