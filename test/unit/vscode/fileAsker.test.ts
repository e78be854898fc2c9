import { strict as assert } from 'node:assert';
import { ExchangeError } from '../../../src/core/data/exchange/exchangeErrors';
import { FileAsker, type FileQuestion } from '../../../src/vscode/commands/fileAsker';
import { MapMemory } from '../../support/fakeWindow';

const OPEN: FileQuestion = { kind: 'open', title: 'Import Data', filters: { Export: ['json'] } };
const SAVE: FileQuestion = { ...OPEN, kind: 'save', name: 'agents.json' };

describe('asking for a file', () => {
  let begunAt: (string | undefined)[];
  let chosen: { scheme: string; fsPath: string } | undefined;
  let memory: MapMemory;

  beforeEach(() => {
    begunAt = [];
    chosen = undefined;
    memory = new MapMemory();
  });
  const asker = (workspaceFolder: string | undefined): FileAsker =>
    new FileAsker(
      async (_, at) => (begunAt.push(at), chosen),
      memory,
      () => workspaceFolder,
    );

  it('begins in the folder of the workspace, never somewhere else', async () => {
    assert.equal(await asker('/shop').ask(OPEN), undefined);
    await asker('/shop').ask(SAVE);
    await asker(undefined).ask(SAVE);
    assert.deepEqual(begunAt, ['/shop', '/shop/agents.json', undefined]);
  });

  it('begins where the last file was, which every question of this workspace shares', async () => {
    chosen = { scheme: 'file', fsPath: '/disk/copies/store.db' };
    assert.equal(await asker('/shop').ask(SAVE), '/disk/copies/store.db');
    chosen = undefined;
    await asker('/shop').ask(OPEN);
    await asker('/shop').ask(SAVE);
    assert.deepEqual(begunAt.slice(1), ['/disk/copies', '/disk/copies/agents.json']);
  });

  it('takes no file of another machine, and does not begin there later', async () => {
    chosen = { scheme: 'vscode-userdata', fsPath: '/elsewhere/a.json' };
    await assert.rejects(asker('/shop').ask(OPEN), (error) => ExchangeError.is(error, 'exchange.fileUnusable'));
    chosen = undefined;
    await asker('/shop').ask(OPEN);
    assert.equal(begunAt[1], '/shop');
  });
});
