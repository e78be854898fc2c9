import assert from 'node:assert/strict';
import type { EngineStatus } from '../../../src/core/engine';
import { engineDiagnosis } from '../../../src/core/engineDiagnosis';

const ready = { kind: 'ready', epoch: 1, tmuxVersion: '3.3a', isTmuxLost: false, isReadOnly: false } as const;
const following = { kind: 'following', ownerPid: 7, isOwnerResponding: true, isConnected: true } as const;

describe('what Check Setup says about the engine', () => {
  it('calls it a problem, with what to do next, whenever it cannot do its work', () => {
    const broken: readonly (readonly [EngineStatus, RegExp])[] = [
      [{ kind: 'stopped' }, /not running/],
      [{ kind: 'blocked', code: 'data.io', detail: 'the disk is full' }, /^the disk is full$/],
      [{ ...following, isOwnerResponding: false, isConnected: false }, /process 7.*does not respond/],
      [{ ...following, isConnected: false }, /cannot be reached.*read-only/],
      [
        { ...ready, isTmuxLost: true, tmuxLoss: { reason: 'no pty', hasRun: false } },
        /^tmux cannot be started: no pty$/,
      ],
      [{ ...ready, isTmuxLost: true, tmuxLoss: { reason: 'exited', hasRun: true } }, /^tmux has stopped.*: exited$/],
    ];
    for (const [status, says] of broken) {
      const { level, detail, advice } = engineDiagnosis(status);
      assert.ok(level === 'error' || level === 'warning', `${detail} is ${level}`);
      assert.match(detail, says);
      assert.ok(advice, detail);
    }
  });

  it('says ok only of an engine that works', () => {
    assert.deepEqual([engineDiagnosis(ready).level, engineDiagnosis(following).level], ['ok', 'ok']);
    assert.equal(engineDiagnosis({ kind: 'starting' }).level, 'info');
    assert.equal(engineDiagnosis({ kind: 'restricted' }).level, 'info'); // the window says it, as a warning
  });
});
