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
import { evidenceLines, facts } from '../../../src/vscode/agents/agentTooltip';
import { anAgentView } from '../../support/fakeEngine';

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
    assert.equal(sentence({ ...agent, sinceMs: NOW }, NOW), 'Agent Reviewer, needs approval');
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
      'agent paused live attachable needsYou managed',
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

  it('ask before ending only what is in the middle of something', () => {
    const asked = Object.values(Activity).filter((activity) => isInTheMiddle(anAgentView({ activity })));
    assert.deepEqual(asked, ['busy', 'awaiting_input', 'awaiting_approval', 'rate_limited']);
    assert.equal(isInTheMiddle(anAgentView({ lifecycle: 'exited', activity: 'busy' })), false);
  });
});

describe('agent tooltips', () => {
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
        'State: working, 2 minutes',
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
