import assert from 'node:assert/strict';
import { AgentError } from '../../../../src/core/agents/agentErrors';
import { AgentMailbox } from '../../../../src/core/agents/agentMailbox';

const reason = new AgentError('agent.superseded', 'test');

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe('AgentMailbox', () => {
  it('runs one operation at a time, in order, also after a failure', async () => {
    const mailbox = new AgentMailbox();
    const seen: string[] = [];
    const step = (name: string) => async (): Promise<void> => {
      seen.push(`${name}<`);
      await Promise.resolve();
      seen.push(`${name}>`);
      if (name === 'b') throw new Error('b failed');
    };
    const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => mailbox.run(step(name))));
    assert.deepEqual(results.map((one) => one.status), ['fulfilled', 'rejected', 'fulfilled']); // prettier-ignore
    assert.deepEqual(seen, ['a<', 'a>', 'b<', 'b>', 'c<', 'c>']);
    assert.ok(mailbox.isIdle);
  });

  it('never runs what was aborted while it waited, and tells at once', async () => {
    const mailbox = new AgentMailbox();
    const { opened, open } = gate();
    const first = mailbox.run(() => opened);
    const abort = new AbortController();
    let hasRun = false;
    const second = mailbox.run(async () => void (hasRun = true), { signal: abort.signal });
    abort.abort(reason);
    await assert.rejects(second, reason);
    open();
    await first;
    await mailbox.run(async () => undefined);
    assert.ok(!hasRun);
    await assert.rejects(
      mailbox.run(async () => undefined, { signal: abort.signal }),
      reason,
    );
  });

  it('preempts the kinds it is told to, running or waiting, and no others', async () => {
    const mailbox = new AgentMailbox();
    const untilAborted = (signal: AbortSignal): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    const start = mailbox.run(untilAborted, { kind: 'start' });
    const prompt = mailbox.run(async () => 'typed', { kind: 'prompt' });
    const other = mailbox.run(async () => 'done');
    mailbox.preempt(['start'], reason);
    await assert.rejects(start, reason);
    assert.deepEqual(await Promise.all([prompt, other]), ['typed', 'done']);
  });

  it('close aborts everything and refuses what comes later', async () => {
    const mailbox = new AgentMailbox();
    const running = mailbox.run(
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    const waiting = mailbox.run(async () => undefined);
    mailbox.close(reason);
    for (const one of [running, waiting, mailbox.run(async () => undefined)]) await assert.rejects(one, reason);
  });
});
