import { strict as assert } from 'node:assert';
import type { EngineStatus } from '../../../src/core/engine';
import { EngineError } from '../../../src/core/engineErrors';
import { canAct, demandControl, isOnlyLooking } from '../../../src/vscode/commands/control';
import {
  canRunAgents,
  isVirtualWorkspace,
  windowStorageFolder,
  workplaceDiagnosis,
} from '../../../src/vscode/window/workplace';

describe('where agents can run', () => {
  it('is not Windows, and not a workspace without a real folder', () => {
    const cases: readonly (readonly [NodeJS.Platform, readonly string[], boolean])[] = [
      ['linux', [], true],
      ['linux', ['file'], true],
      ['linux', ['vscode-vfs', 'file'], true],
      ['linux', ['vscode-vfs'], false],
      ['darwin', ['vscode-vfs', 'memfs'], false],
      ['win32', ['file'], false],
    ];
    for (const [platform, folderSchemes, expected] of cases)
      assert.equal(canRunAgents({ platform, folderSchemes }), expected, `${platform} ${folderSchemes.join()}`);
    assert.deepEqual([isVirtualWorkspace([]), isVirtualWorkspace(['github'])], [false, true]);
  });

  it('is told by Check Setup where they cannot', () => {
    const [windows, virtual] = [
      workplaceDiagnosis({ platform: 'win32', folderSchemes: ['file'] }),
      workplaceDiagnosis({ platform: 'linux', folderSchemes: ['vscode-vfs'] }),
    ];
    assert.deepEqual([windows?.level, virtual?.level], ['error', 'error']);
    assert.match(windows?.advice ?? '', /WSL/);
    assert.match(virtual?.advice ?? '', /[Cc]lone/);
    assert.equal(workplaceDiagnosis({ platform: 'linux', folderSchemes: ['file'] }), undefined);
  });

  it('keeps small files of a window apart by workspace, in one storage', () => {
    const [a, b] = ['file:///a', 'file:///b'].map((uri) => windowStorageFolder('/storage', uri));
    assert.match(a ?? '', /^\/storage\/windows\/[0-9a-f]{16}$/);
    assert.notEqual(a, b);
    assert.equal(windowStorageFolder('/storage', 'file:///a'), a);
    assert.equal(windowStorageFolder('/storage', undefined), undefined);
  });
});

describe('a command that acts', () => {
  const refusal = (status: EngineStatus): string | undefined => {
    try {
      demandControl({ status });
      return undefined;
    } catch (error) {
      return error instanceof EngineError ? error.code : 'another error';
    }
  };

  it('is refused before anything is asked where it cannot succeed', () => {
    assert.equal(
      refusal({ kind: 'following', ownerPid: 1, isOwnerResponding: true, isConnected: false }),
      'engine.following',
    );
    assert.equal(refusal({ kind: 'restricted' }), 'engine.restricted');
    assert.equal(refusal({ kind: 'blocked', code: 'tmux.tooOld', detail: '' }), 'engine.blocked');
    assert.equal(refusal({ kind: 'stopped' }), 'engine.stopped');
  });

  it('goes through a window that is connected to the one that manages the agents', () => {
    const connected: EngineStatus = { kind: 'following', ownerPid: 1, isOwnerResponding: true, isConnected: true };
    assert.deepEqual([refusal(connected), canAct(connected), isOnlyLooking(connected)], [undefined, true, false]);
    const apart: EngineStatus = { ...connected, isConnected: false };
    assert.deepEqual([canAct(apart), isOnlyLooking(apart)], [false, true]);
    assert.deepEqual([canAct({ kind: 'restricted' }), isOnlyLooking({ kind: 'restricted' })], [false, true]);
    assert.deepEqual([canAct({ kind: 'starting' }), isOnlyLooking({ kind: 'starting' })], [false, false]);
  });

  it('is not refused in the window that manages the agents, nor while it starts', () => {
    assert.equal(refusal({ kind: 'starting' }), undefined);
    assert.equal(
      refusal({ kind: 'ready', epoch: 1, tmuxVersion: '3.3a', isTmuxLost: false, isReadOnly: false }),
      undefined,
    );
  });
});
