import assert from 'node:assert/strict';
import type { AgentId } from '../../../../src/core/agents/agent';
import { AgentError } from '../../../../src/core/agents/agentErrors';
import { builtInTypes } from '../../../../src/core/agents/builtInTypes';
import { preparePrompt } from '../../../../src/core/agents/delivery/preparePrompt';
import { DeliveryWorld } from '../../../support/deliveryWorld';
import { eventually } from '../../../support/eventually';
import { requireTmux } from '../../../support/tmuxServer';
import { trials } from '../../../support/trials';

const lines = (count: number): string =>
  Array.from(
    { length: count },
    (_, index) => `${index}: the quick brown fox jumps over "the lazy dog" $(no) \`no\``,
  ).join('\n');

/** What people and agents send, by what is special about it. */
const CORPUS: Readonly<Record<string, string>> = {
  short: 'look at it',
  '500 characters': 'word '.repeat(100).trim(),
  '4 KB in lines': lines(64),
  '20 KB in lines': lines(320),
  'a leading -': '-rf is no option',
  'a leading /': '/exit',
  'a leading !': '!rm -rf build',
  'a leading #': '# remember this',
  'a leading @': '@src/app.ts is wrong',
  semicolons: '; a ; b;',
  'a substitution': '$(touch /tmp/never) `no` ${HOME}',
  quotes: `"double" 'single' \\"escaped\\" \\`,
  tabs: 'a\tb\n\tc',
  CRLF: 'one\r\ntwo\rthree',
  emoji: '👩‍💻 🎉 done ✅',
  CJK: '日本語のテキスト 한국어 中文',
  'right to left': 'שלום עולם مرحبا',
  'what looks like keys': 'Escape C-c Enter q :q!',
};

const DEMO = builtInTypes().find(({ id }) => id === 'demo');
const prepared = (text: string): string => preparePrompt(text, DEMO ?? assert.fail('no demo agent')).prepared;
const withCode = (code: string) => (error: unknown) => AgentError.is(error) && error.code === code;

describe('prompts to a demo agent in tmux', function () {
  this.timeout(120_000);
  let world: DeliveryWorld;
  before(function () {
    requireTmux(this);
  });
  beforeEach(() => {
    world = new DeliveryWorld();
  });
  afterEach(() => world.end());

  async function sendCorpus(name: string, id: AgentId): Promise<void> {
    for (const [what, text] of Object.entries(CORPUS)) {
      const receipt = await world.supervisor.sendPrompt(id, text);
      assert.deepEqual([what, receipt.state], [what, 'acknowledged']);
    }
    assert.deepEqual(world.taken(name), Object.values(CORPUS).map(prepared));
  }

  it('arrive byte by byte as they were prepared, each once: the whole corpus, while it rests', async () => {
    const id = await world.start('demo', { DEMO_WORK_MS: '0' });
    await sendCorpus('demo', id);
  });

  it('arrive before it crashes of one: the receipt says so', async () => {
    const id = await world.start('demo');
    const receipt = await world.supervisor.sendPrompt(id, 'crash 1');
    assert.deepEqual([receipt.state, receipt.evidence], ['acknowledged', 'screen']);
    await eventually('the crash', async () => world.supervisor.registry.get(id).record.exit?.code === 1);
  });

  it('arrive while it works', async () => {
    const id = await world.start('demo');
    await world.supervisor.sendPrompt(id, 'work 600');
    await world.shows(id, 'Working');
    for (const what of ['short', '4 KB in lines', 'tabs', 'emoji'])
      assert.equal((await world.supervisor.sendPrompt(id, CORPUS[what] ?? '')).state, 'acknowledged');
    assert.deepEqual(world.taken('demo').slice(1), ['short', '4 KB in lines', 'tabs', 'emoji'].map((what) => prepared(CORPUS[what] ?? ''))); // prettier-ignore
  });

  it('are told as unknown, each of those that waited inside it, when it was killed and a policy has started it again', async () => {
    const id = await world.start('demo');
    const first = await world.supervisor.sendPrompt(id, 'work 600');
    const inside: string[] = [];
    for (const text of ['one', 'two', 'three']) inside.push((await world.supervisor.sendPrompt(id, text)).id);
    const told: string[] = [];
    world.supervisor.onDidChangeReceipt((receipt) => told.push(`${receipt.id} ${receipt.state}`));
    const { record } = world.supervisor.registry.get(id);
    process.kill(record.process?.pid ?? assert.fail('no process'), 'SIGKILL');
    const isBack = (): boolean => {
      const { generation, lifecycle } = world.supervisor.registry.get(id).record;
      return generation === 2 && lifecycle === 'running';
    };
    await eventually('it is back', isBack, { timeoutMs: 30_000 });
    const receipts = [...(await world.supervisor.receipts(id))].reverse();
    assert.deepEqual(
      receipts.map((receipt) => [receipt.id, receipt.state, receipt.reason, receipt.generation]),
      [[first.id, 'acknowledged', undefined, 1], ...inside.map((one) => [one, 'delivery_unknown', 'ended', 1])],
    );
    assert.deepEqual(told, inside.map((one) => `${one} delivery_unknown`)); // prettier-ignore
    assert.deepEqual(world.taken('demo'), ['work 600', 'one', 'two', 'three'], 'R7 nothing is typed by itself');
  });

  it('arrive right after the launch, in order, however long the program takes to begin', async () => {
    await world.supervisor.begin();
    const { id } = await world.create('demo', { DEMO_STARTUP_MS: '1200', DEMO_WORK_MS: '0' });
    const starting = world.supervisor.start(id);
    const sent = ['short', '20 KB in lines', 'CJK'].map((what) =>
      world.supervisor.sendPrompt(id, CORPUS[what] ?? '', { whenBlocked: 'queue' }),
    );
    assert.deepEqual((await Promise.all(sent)).map(({ state }) => state), ['queued', 'queued', 'queued']); // prettier-ignore
    await starting;
    await eventually('all arrived', () => world.taken('demo').length === 3, { timeoutMs: 20_000 });
    assert.deepEqual(world.taken('demo'), ['short', '20 KB in lines', 'CJK'].map((what) => prepared(CORPUS[what] ?? ''))); // prettier-ignore
  });

  it("leave a person's draft alone, and are typed when it is gone", async () => {
    const id = await world.start('demo', { DEMO_WORK_MS: '0' });
    world.type(id, 'half a thought');
    await world.shows(id, '› half a thought');
    await assert.rejects(world.supervisor.sendPrompt(id, 'x'), withCode('agent.draftInBox'));
    const queued = await world.supervisor.sendPrompt(id, 'when free', { whenBlocked: 'queue' });
    assert.deepEqual([queued.state, queued.reason], ['queued', 'draft_in_box']);
    world.type(id, 'Enter');
    await eventually('it arrived', () => world.taken('demo').length === 2, { timeoutMs: 10_000 });
    assert.deepEqual(world.taken('demo'), ['half a thought', 'when free']);
  });

  it('arrive although a person has left the terminal in copy mode', async () => {
    const id = await world.start('demo', { DEMO_WORK_MS: '0' });
    for (const what of ['short', '4 KB in lines', 'a leading !']) {
      world.server.tmux('copy-mode', '-t', `=${id}:`);
      assert.equal((await world.supervisor.sendPrompt(id, CORPUS[what] ?? '')).state, 'acknowledged');
    }
    assert.deepEqual(world.taken('demo'), ['short', '4 KB in lines', 'a leading !'].map((what) => prepared(CORPUS[what] ?? ''))); // prettier-ignore
  });

  it('do not answer a dialog, and arrive when a person has answered it', async () => {
    const id = await world.start('demo', { DEMO_WORK_MS: '0' });
    await world.supervisor.sendPrompt(id, 'approve');
    await world.shows(id, 'Allow this command?');
    await assert.rejects(world.supervisor.sendPrompt(id, '1'), withCode('agent.dialogOpen'));
    const queued = await world.supervisor.sendPrompt(id, 'after it', { whenBlocked: 'queue' });
    assert.deepEqual([queued.state, queued.reason], ['queued', 'dialog_open']);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.deepEqual(world.answers('demo'), []);
    world.type(id, '2');
    await eventually('it arrived', () => world.taken('demo').includes('after it'), { timeoutMs: 10_000 });
    assert.deepEqual(world.answers('demo'), ['No']);
    assert.deepEqual(world.taken('demo'), ['approve', 'after it']);
  });

  const manners: readonly (readonly [what: string, env: Readonly<Record<string, string>>])[] = [
    ['redraws slowly', { DEMO_REDRAW_MS: '400' }],
    ['takes an Enter right after a paste as part of it', { DEMO_PASTE_ENTER_MS: '40' }],
    ['loses the first Enter of each prompt', { DEMO_FIRST_ENTER: 'lost' }],
    ['collapses long pastes', { DEMO_COLLAPSE: '400' }],
    [
      'does all of that',
      { DEMO_REDRAW_MS: '150', DEMO_PASTE_ENTER_MS: '40', DEMO_FIRST_ENTER: 'lost', DEMO_COLLAPSE: '400' },
    ],
  ];
  for (const [what, env] of manners) {
    it(`arrive, each once, at a program that ${what}`, async () => {
      const id = await world.start('demo', { DEMO_WORK_MS: '0', ...env });
      for (const one of ['short', '500 characters', '4 KB in lines', 'quotes', 'short'])
        assert.equal((await world.supervisor.sendPrompt(id, CORPUS[one] ?? '')).state, 'acknowledged');
      const expected = ['short', '500 characters', '4 KB in lines', 'quotes', 'short'].map((one) => prepared(CORPUS[one] ?? '')); // prettier-ignore
      assert.deepEqual(world.taken('demo'), expected);
    });
  }

  it('R7 of several lines are refused by a program that would take each line for itself: nothing is typed, and it is said', async () => {
    const id = await world.start('demo', { DEMO_WORK_MS: '0', DEMO_PASTE: 'plain' });
    assert.equal((await world.host.capture(id)).bracketsPaste, false);
    assert.equal((await world.supervisor.sendPrompt(id, 'a line')).state, 'acknowledged');
    await assert.rejects(world.supervisor.sendPrompt(id, 'one\ntwo'), withCode('agent.linesWouldSplit'));
    const [receipt] = await world.supervisor.receipts(id);
    assert.deepEqual([receipt?.state, receipt?.reason, receipt?.submitCount], ['failed', 'would_split', 0]);
    assert.match(receipt?.detail ?? '', /nothing was typed.*one line/);
    assert.equal((await world.supervisor.sendPrompt(id, 'another')).state, 'acknowledged');
    assert.deepEqual(world.taken('demo'), ['a line', 'another']);
  });

  it('R7 of several lines are delivered with a word of doubt where it is not known whether they stay one text', async () => {
    const { id } = await world.supervisor.begin().then(() => world.supervisor.create({ name: 'plain', typeId: 'command', folder: world.server.folder, command: ['cat'], restartPolicy: 'never' })); // prettier-ignore
    await world.supervisor.start(id);
    assert.equal((await world.host.capture(id)).bracketsPaste, false);
    world.server.tmux('detach-client', '-a', '-s', '_hub');
    world.server.tmux('detach-client', '-s', '_hub');
    await eventually('the connection is another', async () => world.host.status.kind === 'ready' && (await world.host.capture(id)).bracketsPaste === undefined); // prettier-ignore
    await eventually('it is known to run', () => world.supervisor.registry.get(id).record.lifecycle === 'running');
    const receipt = await world.supervisor.sendPrompt(id, 'three\nfour');
    assert.deepEqual(
      [receipt.state, receipt.changes.map(({ kind }) => kind)],
      ['delivery_unknown', ['lines_may_split']],
    );
    await world.shows(id, /three\nfour/);
  });

  it('S4 are text, never keys: commands, interrupts and the end of the paste', async () => {
    const id = await world.start('demo', { DEMO_WORK_MS: '0' });
    const hostile = [
      'a\u001b[201~\rwork 600\r',
      '\u0003\u0003still here',
      'x\u0004\u0015y',
      '\u001b\u001bzoo',
      '\u009b201~c1\u0085',
      '/exit',
      '\u001b[31m  /exit\r\n',
      '!rm -rf /nowhere',
      'line\u001b[200~nested\u001b[201~\u001b[201~ end',
    ];
    for (const text of hostile) await world.supervisor.sendPrompt(id, text);
    assert.deepEqual(world.taken('demo'), hostile.map(prepared));
    assert.ok(world.taken('demo').every((text) => !/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text)));
    assert.equal(world.supervisor.registry.get(id).record.lifecycle, 'running');
    assert.equal(world.taken('demo').filter((text) => text === ' /exit').length, 2);
  });

  it('S4 into a program of which nothing is known are typed whatever it shows, and the receipt claims no more than that', async () => {
    await world.supervisor.begin();
    const script =
      'printf "Do you want to run rm -rf build?\\n1. Yes\\n2. No\\n"; read answer; echo "it took $answer"; sleep 60';
    const { id } = await world.supervisor.create({ name: 'asks', typeId: 'command', folder: world.server.folder, command: ['sh', '-c', script], restartPolicy: 'never' }); // prettier-ignore
    await world.supervisor.start(id);
    await world.shows(id, 'Do you want to run');
    await eventually('it is known to run', () => world.supervisor.registry.get(id).record.lifecycle === 'running');
    const receipt = await world.supervisor.sendPrompt(id, '2');
    assert.deepEqual([receipt.state, receipt.reason], ['delivery_unknown', 'no_evidence_possible']);
    assert.match(receipt.detail ?? '', /^typed and submitted into whatever its terminal showed, a question too; /);
    await world.shows(id, 'it took 2');
  });

  it('R7 10 000 deliveries to several agents side by side: none lost, none doubled, none falsely confirmed', async function () {
    const count = trials(100, 10_000, 10_000);
    this.timeout(120_000 + count * 400);
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const manner = (index: number): Readonly<Record<string, string>> => [{}, { DEMO_PASTE_ENTER_MS: '40' }, { DEMO_REDRAW_MS: '60' }, { DEMO_COLLAPSE: '300' }][index % 4] ?? {}; // prettier-ignore
    const kinds = Object.values(CORPUS).filter((text) => text.length < 5_000);
    const outcomes = await Promise.all(
      names.map(async (name, index) => {
        const id = await world.start(name, { DEMO_WORK_MS: '0', ...manner(index) });
        if (index % 2 === 1) world.tellHooks(name, id);
        const mine = Array.from({ length: Math.ceil(count / names.length) }, (_, turn) => prepared(`${name}${turn} ${kinds[turn % kinds.length] ?? ''}`)); // prettier-ignore
        const unknown: string[] = [];
        const confirmed: string[] = [];
        for (const text of mine) {
          try {
            await world.supervisor.sendPrompt(id, text);
            confirmed.push(text);
          } catch (error) {
            if (!AgentError.is(error, 'agent.deliveryUnknown')) throw error;
            unknown.push(text);
          }
        }
        return { name, mine, confirmed, unknown };
      }),
    );
    for (const { name, mine, confirmed, unknown } of outcomes) {
      const taken = world.taken(name);
      assert.deepEqual(taken.filter((text, at) => taken.indexOf(text) !== at), [], 'doubled'); // prettier-ignore
      assert.deepEqual(confirmed.filter((text) => !taken.includes(text)), [], 'falsely confirmed'); // prettier-ignore
      assert.deepEqual(mine.filter((text) => !taken.includes(text)), [], 'lost'); // prettier-ignore
      assert.deepEqual(unknown, [], 'unknown');
      assert.deepEqual(taken, mine, 'in order');
    }
  });
});
