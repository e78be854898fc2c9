import assert from 'node:assert/strict';
import type { HookFact } from '../../../../../src/core/agents/signals/agentSignal';
import type { HookReport } from '../../../../../src/core/agents/signals/hookReport';
import type { Agent } from '../../../../../src/core/agents/baseAgent';
import type { UsageReader } from '../../../../../src/core/agents/usage';
import { askerType } from '../../../../support/askerType';
import { agentId } from '../../../../support/builders';
import { SupervisedWorld } from '../../../../support/supervisedWorld';

const NEVER = new AbortController().signal;

class World extends SupervisedWorld {
  readonly facts: HookFact[] = [];

  async begin(): Promise<Agent> {
    this.commands.add('asker');
    const ports = this.ports();
    ports.factory.register(askerType);
    this.supervisor.dispose();
    this.supervisor = this.make({ factory: ports.factory });
    this.host.onDidLaunch = ({ agentId: id }) => this.host.simulateScreen(id, { text: '> ' });
    const agent = await this.runningAgent({ typeId: 'asker' });
    this.supervisor.hooks.onDidReceive((fact) => this.facts.push(fact));
    return agent;
  }

  async tell(event: string, payload: unknown, changes: Partial<HookReport> = {}): Promise<string | undefined> {
    const sentAtMs = this.clock.nowMs();
    const report = { agentId: agentId('reviewer'), generation: 1, event, payload, sentAtMs, isLate: false, ...changes };
    const answer = await this.supervisor.hooks.report(report, NEVER);
    await this.clock.advanceMs(0);
    return answer.output;
  }
}

describe('AgentHookIntake', () => {
  it('turns a hook into the activity, with the hook as evidence', async () => {
    const world = new World();
    const agent = await world.begin();
    await world.clock.advanceMs(1_000);
    await world.tell('Prompt', { prompt: 'do it', session: 's-1' });
    assert.deepEqual([agent.record.activity, agent.record.evidence[0]?.source], ['busy', 'hook']);
    assert.match(agent.record.evidence[0]?.detail ?? '', /Prompt: it took a prompt/);
    assert.deepEqual(
      world.facts.map(({ event, prompt, sessionId }) => [event, prompt, sessionId]),
      [['Prompt', 'do it', 's-1']],
    );
  });

  it('R19 ignores a report of another generation, of an unknown agent and of an ended one', async () => {
    const world = new World();
    const agent = await world.begin();
    const before = agent.record;
    await world.tell('Prompt', { prompt: 'x', session: 's-2' }, { generation: 2 });
    await world.tell('Prompt', { prompt: 'x', session: 's-2' }, { agentId: agentId('nobody') });
    await world.run(world.supervisor.stop('reviewer'));
    await world.tell('Begin', { session: 's-2' });
    assert.deepEqual([world.facts, agent.record.sessionId === before.sessionId], [[], true]);
  });

  it('R19 takes of a run that is over only which prompt it took, as a fact about that run', async () => {
    const world = new World();
    const agent = await world.begin();
    await world.run(world.supervisor.stop('reviewer'));
    await world.run(world.supervisor.start('reviewer'));
    const before = agent.record;
    await world.tell('Prompt', { prompt: 'x', session: 's-2', transcript_path: '/elsewhere' }, { generation: 1 });
    assert.deepEqual(world.facts.map(({ generation, prompt, activity, sessionId }) => [generation, prompt, activity, sessionId]), [[1, 'x', undefined, undefined]]); // prettier-ignore
    assert.deepEqual([agent.record, before.generation], [before, 2]);
  });

  it('keeps where the conversation is recorded, so that a new engine reads what was used, once', async () => {
    const world = new World();
    const agent = await world.begin();
    const transcript_path = '/home/me/one.jsonl';
    await world.tell('Prompt', { prompt: 'x', session: agent.record.sessionId, transcript_path });
    assert.equal(agent.record.transcriptPath, transcript_path);
    await world.supervisor.detach();
    const read: string[] = [];
    const line = JSON.stringify({ type: 'assistant', message: { id: 'm', usage: { input_tokens: 5 } } });
    const usageReader: UsageReader = {
      read: (path, offset) => {
        read.push(path);
        return Promise.resolve({
          lines: offset === 0 ? [line] : [],
          nextOffset: line.length + 1,
          isReset: false,
          unreadBytes: 0,
        });
      },
    };
    const { factory } = world.ports();
    factory.register(askerType);
    world.supervisor = world.make({ factory, usageReader });
    await world.run(world.supervisor.begin());
    await world.clock.advanceMs(600_000);
    assert.deepEqual(read, [transcript_path]);
    const usage = world.supervisor.usage(agentId('reviewer'));
    assert.deepEqual([usage?.inputTokens, usage?.coverage], [5, 'this conversation']);
    await world.run(world.supervisor.restart('reviewer'));
    assert.equal(world.agent().record.transcriptPath, undefined, 'it is that of another conversation');
  });

  it('keeps the id of the conversation and that something was said in it', async () => {
    const world = new World();
    const agent = await world.begin();
    assert.match(agent.record.sessionId ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(agent.record.hasSessionTurn, false);
    await world.tell('Prompt', { prompt: 'x', session: agent.record.sessionId });
    assert.equal(agent.record.hasSessionTurn, true);
    await world.tell('Begin', { session: 'another' });
    assert.deepEqual([agent.record.sessionId, agent.record.hasSessionTurn], ['another', false]);
  });

  it('takes no id that could be an option or a path', async () => {
    const world = new World();
    const agent = await world.begin();
    const { sessionId } = agent.record;
    for (const session of ['--yolo', '../x', 'a b', '', 'x'.repeat(101), 7, null])
      await world.tell('Begin', { session });
    assert.equal(agent.record.sessionId, sessionId);
  });

  it('does not take the end of a turn for idle while something runs on in the background', async () => {
    const world = new World();
    const agent = await world.begin();
    await world.clock.advanceMs(1_000);
    await world.tell('Prompt', { prompt: 'x' });
    await world.clock.advanceMs(100);
    await world.tell('Stop', { background: ['a server'] });
    await world.clock.advanceMs(1_000);
    assert.equal(agent.record.activity, 'busy');
    await world.tell('Stop', { background: [] });
    await world.clock.advanceMs(500);
    assert.equal(agent.record.activity, 'idle');
  });

  it('lets no hook that was overtaken, and no late one, overrule what is known by now', async () => {
    const world = new World();
    const agent = await world.begin();
    await world.clock.advanceMs(5_000);
    await world.tell('Prompt', { prompt: 'x' });
    await world.tell('Stop', {}, { sentAtMs: world.clock.nowMs() - 500 });
    await world.clock.advanceMs(500);
    assert.equal(agent.record.activity, 'busy');
    await world.tell('Stop', {}, { sentAtMs: world.clock.nowMs() - 4_000, isLate: true });
    assert.equal(agent.record.activity, 'busy');
    assert.deepEqual(world.facts.map(({ event }) => event), ['Prompt', 'Stop', 'Stop']); // prettier-ignore
  });

  it('takes a question although something newer overtook it: its hook still waits', async () => {
    const world = new World();
    await world.begin();
    await world.clock.advanceMs(5_000);
    await world.tell('Prompt', { prompt: 'x' });
    const sentAtMs = world.clock.nowMs() - 300;
    const report = {
      agentId: agentId('reviewer'),
      generation: 1,
      event: 'Ask',
      payload: { tool: 'Bash', input: { command: 'ls' } },
      sentAtMs,
      isLate: false,
    };
    void world.supervisor.hooks.report(report, NEVER);
    await world.clock.advanceMs(0);
    assert.equal(world.supervisor.request(agentId('reviewer'))?.title, 'Bash: ls');
  });

  it('leaves an open question alone when a hook tells of a tool call, which may be another one or told late', async () => {
    const world = new World();
    const agent = await world.begin();
    await world.clock.advanceMs(5_000);
    await world.tell('Prompt', { prompt: 'x' });
    const result: { output?: string; isDone?: true } = {};
    for (const tool of ['Bash', 'Question']) {
      const payload = { tool, input: { command: 'ls' } };
      const sentAtMs = world.clock.nowMs();
      const report = { agentId: agent.id, generation: 1, event: 'Ask', payload, sentAtMs, isLate: false };
      void world.supervisor.hooks
        .report(report, NEVER)
        .then((answer) => tool === 'Bash' && Object.assign(result, answer, { isDone: true }));
      await world.clock.advanceMs(0);
      const { id } = world.supervisor.request(agent.id) ?? {};
      const before = agent.record.activity;
      await world.clock.advanceMs(50);
      await world.tell('Tool', {});
      await world.clock.advanceMs(500);
      assert.deepEqual([agent.record.activity, world.supervisor.request(agent.id)?.id], [before, id]);
      assert.equal(world.facts.at(-1)?.activity, undefined);
      if (tool === 'Bash') await world.run(world.supervisor.answerRequest(agent.id, id ?? '', { kind: 'allow' }));
    }
    assert.deepEqual(result, { output: '{"ok":true}', isDone: true });
  });

  it('takes what a hook tells of a tool call for work again once the question is over', async () => {
    const world = new World();
    const agent = await world.begin();
    await world.clock.advanceMs(5_000);
    const payload = { tool: 'Bash', input: { command: 'ls' } };
    const sentAtMs = world.clock.nowMs();
    const report = { agentId: agent.id, generation: 1, event: 'Ask', payload, sentAtMs, isLate: false };
    void world.supervisor.hooks.report(report, NEVER);
    await world.clock.advanceMs(0);
    const { id } = world.supervisor.request(agent.id) ?? {};
    await world.run(world.supervisor.answerRequest(agent.id, id ?? '', { kind: 'allow' }));
    await world.clock.advanceMs(50);
    await world.tell('Tool', {});
    assert.deepEqual([agent.record.activity, world.facts.at(-1)?.activity], ['busy', 'busy']);
  });

  it('answers an event that nobody knows, and a payload of any shape, with nothing', async () => {
    const world = new World();
    await world.begin();
    for (const payload of [
      null,
      7,
      'x',
      [],
      { prompt: { a: 1 }, session: [] },
      JSON.parse('{"__proto__":{"session":"p"}}'),
    ])
      for (const event of ['Begin', 'Prompt', 'Stop', 'Nobody.knows'])
        assert.equal(await world.tell(event, payload), undefined);
  });
});
