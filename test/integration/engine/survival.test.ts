// Runs alone: who takes over within a second is measured.
import assert from 'node:assert/strict';
import type { AgentView } from '../../../src/core/engine';
import { LinuxProcesses } from '../../../src/core/agents/node/linuxProcesses';
import { eventually } from '../../support/eventually';
import { EngineMachine, type RunningEngine } from '../../support/runningEngine';
import { trials } from '../../support/trials';

const AGENTS = 10;

async function startAgents(
  machine: EngineMachine,
  engine: RunningEngine,
  count: number,
  prompt: string,
): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `Agent ${index + 1}`);
  await Promise.all(names.map((name) => engine.call('start', { name, typeId: 'demo', folder: machine.workspace })));
  await Promise.all(names.map((_, index) => engine.call('prompt', `agent-${index + 1}` as never, prompt)));
}

/** What must not change: one process per agent, the same since the beginning. */
const identities = (agents: readonly AgentView[]) =>
  agents.map(({ id, pid, generation, lifecycle }) => ({ id, pid, generation, lifecycle }));

describe('An engine that is killed', function () {
  this.timeout(600_000);
  let machine: EngineMachine;
  beforeEach(() => {
    machine = new EngineMachine();
  });
  afterEach(() => machine.end());

  it('R14 leaves working agents undisturbed; the next engine adopts each of them and starts none again', async () => {
    const processes = new LinuxProcesses();
    let engine = await machine.engine();
    await engine.becomes('ready');
    await startAgents(machine, engine, AGENTS, 'loop');
    const before = identities(await engine.call('agents'));
    assert.equal(before.length, AGENTS);
    const startTimes = await Promise.all(before.map(({ pid }) => processes.identify(pid ?? 0)));
    const panes = (await machine.tmux('list-panes', '-a', '-F', '#{pane_pid}')).split('\n').sort();

    for (let round = trials(3, 20, 50); round > 0; round--) {
      engine.kill('SIGKILL');
      engine = await machine.engine();
      await engine.becomes('ready');
      assert.deepEqual(identities(await engine.call('agents')), before);
      assert.deepEqual((await machine.tmux('list-panes', '-a', '-F', '#{pane_pid}')).split('\n').sort(), panes);
    }
    assert.deepEqual(await Promise.all(before.map(({ pid }) => processes.identify(pid ?? 0))), startTimes);
    await eventually(
      'the adopted agents are seen working',
      async () => (await engine.call('agents')).filter(({ activity }) => activity === 'busy').length > AGENTS / 2,
      { timeoutMs: 10_000 },
    );
  });

  it('R14 keeps a stop that was ordered and lets a crash while nobody looked be seen', async () => {
    const first = await machine.engine();
    await first.becomes('ready');
    await startAgents(machine, first, 2, 'work 60');
    await first.call('stop', 'agent-1' as never);
    const [, second] = await first.call('agents');
    first.kill('SIGKILL');
    process.kill(second?.pid ?? 0, 'SIGKILL'); // the launch script and so its terminal's process
    const next = await machine.engine();
    await next.becomes('ready');
    const after = await next.call('agents');
    assert.equal(after[0]?.lifecycle, 'stopped');
    assert.ok(
      ['backoff', 'starting', 'running', 'failed'].includes(after[1]?.lifecycle ?? ''),
      `is ${after[1]?.lifecycle ?? 'gone'}`,
    );
    await eventually('its policy starts it again', async () => {
      const agent = (await next.call('agents'))[1];
      return agent?.lifecycle === 'running' && agent.generation === 2;
    });
  });

  it('R13 is followed by the second engine within a second, and there is never more than one owner', async () => {
    const first = await machine.engine();
    await first.becomes('ready');
    await startAgents(machine, first, 2, 'loop');
    const before = identities(await first.call('agents'));
    let owner = first;
    const delaysMs: number[] = [];
    for (let round = trials(3, 20, 50); round > 0; round--) {
      const follower = await machine.engine();
      await follower.becomes('following');
      await eventually('the same agents in the follower', async () => {
        const { kind, ...status } = await follower.call('status');
        const isConnected = kind === 'following' && 'isConnected' in status && status.isConnected;
        const [theirs, ours] = [await owner.call('agents'), await follower.call('agents')];
        return isConnected && JSON.stringify(identities(theirs)) === JSON.stringify(identities(ours));
      });
      const killedAtMs = Date.now();
      owner.kill('SIGKILL');
      await follower.becomes('ready', 5_000);
      delaysMs.push(follower.statusAtMs - killedAtMs);
      assert.deepEqual(identities(await follower.call('agents')), before);
      owner = follower;
    }
    process.stdout.write(`      hand-over after a kill, ms: ${delaysMs.join(' ')}\n`);
    assert.ok(Math.max(...delaysMs) < 1_000, `${Math.max(...delaysMs)} ms`);
  });

  it('R13 R18 another editor, with data of its own, has agents of its own on the same folder, and disturbs none', async () => {
    const ours = await machine.engine();
    await ours.becomes('ready');
    await startAgents(machine, ours, 2, 'loop');
    // It knows one of these as stopped and one as removed: its own are called so, too.
    const other = await machine.engine('another editor');
    await other.becomes('ready');
    await startAgents(machine, other, 2, 'loop');
    await other.call('stop', 'agent-1' as never);
    const before = identities(await ours.call('agents'));
    await other.call('end');
    const again = await machine.engine('another editor');
    await again.becomes('ready');
    assert.deepEqual((await again.call('agents')).map(({ lifecycle }) => lifecycle).toSorted(), ['running', 'stopped']);
    assert.deepEqual(identities(await ours.call('agents')), before);
    assert.equal(ours.status.kind, 'ready');
    assert.notEqual(await machine.socketName('another editor'), await machine.socketName());
  });

  it('R13 can be taken over while it hangs, and does nothing when it wakes', async () => {
    const hung = await machine.engine();
    await hung.becomes('ready');
    await startAgents(machine, hung, 2, 'loop');
    const before = identities(await hung.call('agents'));
    const follower = await machine.engine();
    await follower.becomes('following');
    hung.kill('SIGSTOP');
    await eventually(
      'the owner is seen not to respond',
      () => follower.status.kind === 'following' && !follower.status.isOwnerResponding,
      { timeoutMs: 10_000 },
    );
    await follower.call('takeOver');
    await follower.becomes('ready');
    const late = hung.call('stop', 'agent-1' as never);
    late.catch(() => undefined); // looked at below
    hung.kill('SIGCONT');
    await assert.rejects(late);
    await hung.becomes('following');
    assert.deepEqual(identities(await follower.call('agents')), before);
    await follower.call('stop', 'agent-2' as never);
    await follower.call('end');
    await hung.becomes('ready');
    assert.deepEqual(
      (await hung.call('agents')).map(({ lifecycle }) => lifecycle),
      ['running', 'stopped'],
    );
  });
});
