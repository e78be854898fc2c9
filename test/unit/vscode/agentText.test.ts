import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import { Activity, Lifecycle } from '../../../src/core/agents/agentState';
import {
  contextValue,
  description,
  isInTheMiddle,
  longDuration,
  sentence,
  shortDuration,
  stateIcon,
  stateWords,
} from '../../../src/vscode/agents/agentText';
import { evidenceLines, facts, usageWords } from '../../../src/vscode/agents/agentTooltip';
import { requestSubject, requestTitle } from '../../../src/vscode/approvals/requestText';
import { SETTLED_ROW_MS } from '../../../src/vscode/prompts/receiptText';
import type { PermissionRequest } from '../../../src/core/agents/permissionRequest';
import { anAgentView, aReceipt, aRequest } from '../../support/fakeEngine';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 0, 2);

describe('agent texts', () => {
  it('tell the activity of a running agent in words', () => {
    const words = Object.values(Activity).map((activity) => stateWords(anAgentView({ activity })));
    assert.deepEqual(words, ['idle', 'working', 'needs input', 'needs approval', 'rate limited', 'error', 'unknown']);
  });

  it('tell every lifecycle but running in words of its own', () => {
    const words = Object.values(Lifecycle)
      .filter((lifecycle) => lifecycle !== 'running')
      .map((lifecycle) => stateWords(anAgentView({ lifecycle })));
    assert.deepEqual(words, [
      'not started',
      'starting',
      'paused',
      'stopping',
      'stopped',
      'exited',
      'failed',
      'not reachable',
      'waiting to restart',
      'quarantined',
      'retired',
    ]);
  });

  it('say why an agent failed, and do not invent a cause', () => {
    assert.equal(stateWords(anAgentView({ lifecycle: 'failed', exit: { code: 3 } })), 'failed with exit code 3');
    assert.equal(stateWords(anAgentView({ lifecycle: 'failed', exit: { signal: 'SIGKILL' } })), 'failed by SIGKILL');
    assert.equal(stateWords(anAgentView({ lifecycle: 'failed', exit: {} })), 'failed');
  });

  it('say what a paused agent needs', () => {
    assert.equal(
      stateWords(anAgentView({ lifecycle: 'paused', activity: 'awaiting_approval' })),
      'paused, needs approval',
    );
    assert.equal(stateWords(anAgentView({ lifecycle: 'paused', activity: 'busy' })), 'paused');
  });

  it('count whole minutes, hours and days, and nothing below a minute', () => {
    const times = [-5, 0, MINUTE - 1, MINUTE, 59.9 * MINUTE, 60 * MINUTE, 47.9 * 60 * MINUTE, 48 * 60 * MINUTE];
    assert.deepEqual(times.map(shortDuration), ['', '', '', '1 min', '59 min', '1 h', '47 h', '2 d']);
    assert.deepEqual(times.map(longDuration), ['', '', '', '1 minute', '59 minutes', '1 hour', '47 hours', '2 days']);
  });

  it('make a row and its sentence for screen readers', () => {
    const agent = anAgentView({ activity: 'awaiting_approval', sinceMs: NOW - 3 * MINUTE });
    assert.equal(description(agent, NOW), 'needs approval for 3 min');
    assert.equal(sentence(agent, NOW), 'Agent Reviewer, needs approval, 3 minutes');
    assert.equal(sentence({ ...agent, sinceMs: NOW }, NOW), 'Agent Reviewer, needs approval, just now');
    assert.equal(description({ ...agent, sinceMs: NOW }, NOW), 'needs approval, just now');
    assert.equal(
      sentence({ ...agent, isManagedElsewhere: true }, NOW),
      'Agent Reviewer, needs approval, 3 minutes, read-only',
    );
  });

  it('never show two states of need with the same shape', () => {
    const states = [
      anAgentView({ activity: 'idle' }),
      anAgentView({ activity: 'busy' }),
      anAgentView({ activity: 'awaiting_input' }),
      anAgentView({ activity: 'awaiting_approval' }),
      anAgentView({ activity: 'rate_limited' }),
      anAgentView({ activity: 'error' }),
      anAgentView({ activity: 'unknown' }),
      anAgentView({ lifecycle: 'paused' }),
      anAgentView({ lifecycle: 'stopped' }),
      anAgentView({ lifecycle: 'exited' }),
      anAgentView({ lifecycle: 'failed' }),
      anAgentView({ lifecycle: 'lost' }),
      anAgentView({ lifecycle: 'backoff' }),
      anAgentView({ lifecycle: 'quarantined' }),
    ];
    const shapes = states.map((state) => stateIcon(state).id);
    assert.equal(new Set(shapes).size, shapes.length, shapes.join(' '));
  });

  it('make tokens for menus', () => {
    assert.equal(contextValue(anAgentView(), true), 'agent running live attachable prompts managed');
    assert.equal(
      contextValue(anAgentView({ lifecycle: 'paused', activity: 'awaiting_input' }), true),
      'agent paused live attachable prompts needsYou managed',
    );
    assert.equal(
      contextValue(anAgentView({ lifecycle: 'stopped', isAttachable: false }), true),
      'agent stopped ended managed',
    );
    assert.equal(
      contextValue(anAgentView({ isManagedElsewhere: true }), false),
      'agent running live attachable elsewhere',
    );
  });

  it('make tokens for what can be answered from here', () => {
    const tokens = (request: Partial<PermissionRequest>): string =>
      contextValue(anAgentView({ activity: 'awaiting_approval', request: aRequest(request) }), true);
    assert.match(tokens({}), / needsYou asks allow deny reason managed$/);
    assert.match(tokens({ canGiveReason: false, canAllow: false }), / asks deny managed$/);
    assert.match(tokens({ door: 'none' }), / asks managed$/);
    assert.match(
      contextValue(anAgentView({ queuedPromptCount: 1, isResumable: true }), true),
      / queue resumable managed$/,
    );
  });

  it('ask before ending what is, or may be, in the middle of something', () => {
    const asked = Object.values(Activity).filter((activity) => isInTheMiddle(anAgentView({ activity })));
    assert.deepEqual(asked, ['busy', 'awaiting_input', 'awaiting_approval', 'rate_limited', 'unknown']);
    assert.equal(isInTheMiddle(anAgentView({ lifecycle: 'exited', activity: 'busy' })), false);
  });
});

describe('rows with prompts and requests', () => {
  const row = (agent: Parameters<typeof anAgentView>[0]): string =>
    description(anAgentView({ sinceMs: NOW - 3 * MINUTE, ...agent }), NOW);
  const receipt = (changes: Parameters<typeof aReceipt>[0]): ReturnType<typeof aReceipt> =>
    aReceipt({ createdAtMs: NOW - 1000, stateAtMs: NOW - 1000, ...changes });

  it('tell of earlier prompts that may not have arrived, beside the newest one', () => {
    const lastReceipt = receipt({ state: 'delivery_unknown', reason: 'ended' });
    assert.equal(row({ unsurePromptCount: 2 }), 'idle · 2 earlier prompts may not have arrived · 3 min');
    assert.equal(row({ unsurePromptCount: 1, lastReceipt }), 'delivery unknown · idle · 3 min');
    assert.match(
      row({ unsurePromptCount: 2, lastReceipt }),
      /^delivery unknown · idle · 1 earlier prompt may not have/,
    );
    assert.match(sentence(anAgentView({ unsurePromptCount: 1 }), NOW), /, 1 earlier prompt may not have arrived$/);
  });

  it('show how far the last prompt is, in few words', () => {
    const states = ['typing', 'typed', 'submitted', 'acknowledged', 'canceled', 'queued'] as const;
    assert.deepEqual(
      states.map((state) => row({ lastReceipt: receipt({ state }) })),
      [
        'idle · typing · 3 min',
        'idle · typed · 3 min',
        'idle · submitted · 3 min',
        'idle · acknowledged by hook · 3 min',
        'idle · cancelled · 3 min',
        'idle for 3 min',
      ],
    );
    const altered = receipt({ evidence: 'screen', changes: [{ kind: 'tabs', detail: 'tabs became blanks' }] });
    assert.equal(row({ lastReceipt: altered }), 'idle · acknowledged by screen, altered: tabs to spaces · 3 min');
    const kinds = ['leading_guard', 'padded', 'trailing_space', 'tabs'] as const; // a space at the end is told once
    const more = receipt({ changes: kinds.map((kind) => ({ kind, detail: 'x' })) });
    assert.equal(
      row({ lastReceipt: more }),
      'idle · acknowledged by hook, altered: invisible guard character and 2 more · 3 min',
    );
    assert.equal(row({ queuedPromptCount: 2, activity: 'busy' }), 'working · 2 queued · 3 min');
  });

  it('forget what has arrived after a while, and keep what a person must decide, in front', () => {
    const old = { stateAtMs: NOW - SETTLED_ROW_MS };
    assert.equal(row({ lastReceipt: receipt(old) }), 'idle for 3 min');
    assert.equal(
      row({ lastReceipt: receipt({ ...old, stateAtMs: old.stateAtMs + 1 }) }).includes('acknowledged'),
      true,
    );
    assert.equal(row({ lastReceipt: receipt({ ...old, state: 'failed' }) }), 'prompt failed · idle · 3 min');
    assert.equal(
      row({ lastReceipt: receipt({ ...old, state: 'delivery_unknown' }) }),
      'delivery unknown · idle · 3 min',
    );
    const unknown = receipt({ ...old, state: 'delivery_unknown' });
    assert.equal(row({ lastReceipt: unknown, lifecycle: 'quarantined' }), 'quarantined · delivery unknown · 3 min');
  });

  it('call what no program of its type confirms sent, for a while, and no trouble', () => {
    const sent = receipt({ state: 'delivery_unknown', reason: 'no_evidence_possible' });
    assert.equal(row({ lastReceipt: sent }), 'idle · sent, cannot be confirmed · 3 min');
    assert.equal(row({ lastReceipt: { ...sent, stateAtMs: NOW - SETTLED_ROW_MS } }), 'idle for 3 min');
  });

  it('show what a dialog asks for behind its question', () => {
    const dialog = { source: 'screen', title: 'Allow this command?' } as const;
    const title = (detail: string): string => requestTitle(aRequest({ ...dialog, detail }));
    assert.equal(title('Allow this command?\n  rm -r build\n❯ 1. Yes'), 'Allow this command? rm -r build');
    assert.equal(title('Allow this command?\n❯ 1. Yes\n  2. No'), 'Allow this command?');
    assert.equal(title('Something else?\n  rm -r build'), 'Allow this command?');
    const subject = (detail: string): string => requestSubject(aRequest({ ...dialog, detail }));
    assert.equal(subject('Allow this command?\n  rm -r build\n❯ 1. Yes'), 'rm -r build', 'a narrow row cuts the end');
    assert.equal(subject('Allow this command?\n❯ 1. Yes\n  2. No'), 'Allow this command?');
    assert.equal(requestSubject(aRequest({ title: 'Bash: npm test' })), 'Bash: npm test');
  });

  it('show what the agent asks, shortened visibly, and say it to screen readers', () => {
    const request = aRequest({ title: `Bash: ${'x'.repeat(200)}` });
    const agent = anAgentView({
      activity: 'awaiting_approval',
      sinceMs: NOW - 3 * MINUTE,
      request,
      queuedPromptCount: 1,
    });
    const text = description(agent, NOW);
    assert.match(text, /^needs approval · 1 queued · Bash: x+… · 3 min$/);
    assert.ok(text.length < 130);
    assert.match(sentence(agent, NOW), /^Agent Reviewer, needs approval, 3 minutes, asks: Bash: x+…, 1 prompt waits$/);
  });
});

describe('agent tooltips', () => {
  it('hold the prompt, the request, the usage with its coverage and what is not known', () => {
    const usage = {
      ...{ inputTokens: 1234, outputTokens: 5, cacheReadTokens: 6, cacheWriteTokens: 7 },
      ...{ coverage: '3 of 4 turns', updatedAtMs: NOW },
    };
    const agent = anAgentView({
      sinceMs: NOW,
      lastReceipt: aReceipt({
        stateAtMs: NOW - 2 * MINUTE,
        changes: [{ kind: 'leading_space', detail: 'a space before the first character' }],
      }),
      queuedPromptCount: 1,
      request: aRequest({ door: 'none', source: 'screen' }),
      degraded: ['no hooks: activity comes from the screen only'],
      isResumable: true,
      usage,
    });
    const lines = facts(agent, NOW).map(({ label, value }) => `${label}: ${value}`);
    for (const line of [
      'Wants: Bash: npm test (read off its screen; It can be answered only in its terminal.)',
      'Last prompt: acknowledged by hook; altered: a space before the first character (2 minutes ago): review the last commit',
      'Queue: 1 prompt waits',
      'Usage: 1,234 in, 5 out, 6 from cache, 7 to cache (tokens); cost not reported; covers 3 of 4 turns; as of just now',
      'Degraded: no hooks: activity comes from the screen only',
      'Conversation: can be resumed',
    ])
      assert.ok(lines.includes(line), `${line}\nis not in\n${lines.join('\n')}`);
    assert.equal(usageWords({ ...usage, costUsd: 1.5 }, NOW).includes('$1.50 as reported'), true);
  });

  it('tell state, place, process and restarts', () => {
    const agent = anAgentView({
      id: 'reviewer' as AgentId,
      activity: 'busy',
      sinceMs: NOW - 2 * MINUTE,
      team: 'review',
      pid: 4711,
      recentRestartCount: 2,
      nextStartAtMs: NOW + 4200,
    });
    assert.deepEqual(
      facts(agent, NOW).map(({ label, value }) => `${label}: ${value}`),
      [
        'State: working (busy), 2 minutes',
        'Type: Demo',
        'Folder: /project/project',
        'Team: review',
        'Process: 4711',
        'Restarts: after a failure, 2 recently, next in 5 s',
        'Id: reviewer',
        'Reason: screen settled',
      ],
    );
  });

  it('say that the cause of an end is not known', () => {
    const end = facts(anAgentView({ lifecycle: 'failed', exit: {} }), NOW).find(({ label }) => label === 'Last end');
    assert.equal(end?.value, 'cause not known');
  });

  it('give every piece of evidence its source and age', () => {
    const agent = anAgentView({
      evidence: [
        { source: 'screen', detail: 'rule "idle"', observedAtMs: NOW - 3 * MINUTE },
        { source: 'process', detail: 'alive', observedAtMs: NOW },
      ],
    });
    assert.deepEqual(evidenceLines(agent, NOW), ['screen: rule "idle" (3 minutes ago)', 'process: alive (just now)']);
  });
});
