import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import manifest from '../../../package.json';
import type { EngineStatus } from '../../../src/core/engine';
import { welcomeState, type WelcomeFacts } from '../../../src/vscode/agents/welcomeState';
import { mayRestore } from '../../../src/vscode/commands/maintenanceDesk';
import { AGENTS_VIEW_ID, CommandId, WelcomeState } from '../../../src/vscode/manifest';

const { viewsWelcome } = manifest.contributes;
const KEY = 'coreOrchestrator.welcome';
const source = path.join(__dirname, '..', '..', '..', 'src', 'vscode');

const ready = { kind: 'ready', epoch: 1, tmuxVersion: '3.3a', isTmuxLost: false, isReadOnly: false } as const;
const facts: WelcomeFacts = {
  status: ready,
  isWindows: false,
  isVirtualWorkspace: false,
  isTrusted: true,
  hasFolder: true,
  hasFleetFile: false,
};
const blocked = (code: string): Partial<WelcomeFacts> => ({ status: { kind: 'blocked', code, detail: '' } });
const follower = (isOwnerResponding: boolean, isConnected: boolean): Partial<WelcomeFacts> => ({
  status: { kind: 'following', ownerPid: 1, isOwnerResponding, isConnected },
});

/** What leads to each text, and words that its reader must find. */
const states: Readonly<Record<WelcomeState, { readonly facts: Partial<WelcomeFacts>; readonly says: RegExp }>> = {
  starting: { facts: { status: { kind: 'starting' } }, says: /Looking for agents/ },
  empty: { facts: {}, says: /No agents yet.*Start Agent/s },
  emptyFleet: { facts: { hasFleetFile: true }, says: /fleet file.*Start Fleet/s },
  noFolder: { facts: { hasFolder: false }, says: /No folder is open/ },
  untrusted: { facts: { isTrusted: false }, says: /Restricted Mode/ },
  windows: { facts: { isWindows: true }, says: /Windows does not have.*WSL/s },
  virtualWorkspace: { facts: { isVirtualWorkspace: true }, says: /virtual.*clone/s },
  noTmux: { facts: blocked('tmux.notInstalled'), says: /tmux was not found.*apt install tmux/s },
  oldTmux: { facts: blocked('tmux.tooOld'), says: /too old.*3\.3/s },
  tmuxLost: {
    facts: { status: { ...ready, isTmuxLost: true, tmuxLoss: { reason: 'gone', hasRun: true } } },
    says: /tmux has stopped.*started again.*Check Setup/s,
  },
  tmuxNotStarting: {
    facts: { status: { ...ready, isTmuxLost: true, tmuxLoss: { reason: 'no pty', hasRun: false } } },
    says: /cannot be started.*Check Setup says/s,
  },
  unsafeFolder: { facts: blocked('tmux.socketFolderUnsafe'), says: /belongs to someone else.*Check Setup/s },
  storeCorrupt: { facts: blocked('data.corrupt'), says: /damaged.*command:coreOrchestrator\.restore\)/s },
  storeNewer: { facts: blocked('data.newerSchema'), says: /newer version/ },
  storeReadOnly: { facts: blocked('data.io'), says: /cannot be written/ },
  readOnly: { facts: { status: { ...ready, isReadOnly: true } }, says: /read-only.*Try Again/s },
  networkFileSystem: { facts: blocked('data.networkFileSystem'), says: /network file system/ },
  elsewhere: { facts: follower(true, false), says: /cannot be reached/ },
  connected: { facts: follower(true, true), says: /commands work here/ },
  ownerHung: { facts: follower(false, false), says: /does not respond.*Take Over/s },
  blocked: { facts: blocked('engine.failed'), says: /cannot work here yet/ },
};

describe('the welcome view', () => {
  for (const [state, { facts: some, says }] of Object.entries(states))
    it(`has exactly one text in the state ${state}, and it says what to do`, () => {
      const reached = welcomeState({ ...facts, ...some });
      assert.equal(reached, state);
      const shown = viewsWelcome.filter(({ when }) => holds(when, reached));
      assert.equal(shown.length, 1, shown.map(({ when }) => when).join(' and '));
      assert.equal(shown[0]?.view, AGENTS_VIEW_ID);
      assert.match(shown[0]?.contents ?? '', says);
    });

  it('leads to a restore where one is possible, and to nothing else that is not', () => {
    for (const [state, { facts: some }] of Object.entries(states)) {
      const contents = viewsWelcome.find(({ when }) => holds(when, state as WelcomeState))?.contents ?? '';
      if (contents.includes(CommandId.Restore)) assert.ok(mayRestore({ ...facts, ...some }.status), state);
    }
  });

  it('says that it looks for agents while the extension has not spoken yet', () => {
    const shown = viewsWelcome.filter(({ when }) => holds(when, undefined));
    assert.deepEqual(
      shown.map(({ contents }) => contents),
      ['Looking for agents…'],
    );
  });

  it('tells of a folder with a wrong owner whichever it is, and of Windows whatever else is so', () => {
    for (const code of ['tmux.socketFolderUnsafe', 'data.folderUnsafe'])
      assert.equal(welcomeState({ ...facts, ...blocked(code) }), WelcomeState.UnsafeFolder);
    const others: readonly EngineStatus[] = [{ kind: 'stopped' }, { kind: 'restricted' }, { kind: 'starting' }];
    for (const status of others)
      for (const isTrusted of [true, false]) {
        const some = { ...facts, status, isTrusted };
        assert.equal(welcomeState({ ...some, isWindows: true, isVirtualWorkspace: true }), WelcomeState.Windows);
        assert.equal(welcomeState({ ...some, isVirtualWorkspace: true }), WelcomeState.VirtualWorkspace);
      }
  });

  it('depends on context keys that the code sets, by the call that sets them', () => {
    const named = new Set(viewsWelcome.flatMap(({ when }) => when.match(/[A-Za-z]+(\.[A-Za-z]+)+/g) ?? []));
    assert.deepEqual([...named], [KEY]);
    const set = new Set<string>();
    for (const file of readdirSync(source, { recursive: true }).map(String))
      if (file.endsWith('.ts'))
        for (const [, key = ''] of readFileSync(path.join(source, file), 'utf8').matchAll(/keys\.set\(\s*'([^']+)'/g))
          set.add(key);
    assert.deepEqual(
      [...named].filter((key) => !set.has(key)),
      [],
    );
  });
});

/** Whether a `when` of these texts holds: only `!key`, `key == value` and `||` are used in them. */
function holds(when: string, value: WelcomeState | undefined): boolean {
  return when.split('||').some((part) => {
    const [, isNegated, wanted] =
      /^(!?)coreOrchestrator\.welcome(?: == (\w+))?$/.exec(part.trim()) ?? assert.fail(`not understood: ${part}`);
    if (isNegated) return wanted === undefined && value === undefined;
    return wanted !== undefined && value === wanted;
  });
}
