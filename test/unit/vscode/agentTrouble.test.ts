import { strict as assert } from 'node:assert';
import { builtInTypes } from '../../../src/core/agents/builtInTypes';
import type { Evidence } from '../../../src/core/agents/agentState';
import { wordsEvidence } from '../../../src/core/agents/lastWords';
import { compileScreen, readScreen } from '../../../src/core/agents/screenReader';
import { description, needsSignIn, sentence, stateWords } from '../../../src/vscode/agents/agentText';
import { evidenceLines, facts } from '../../../src/vscode/agents/agentTooltip';
import { needsYouText } from '../../../src/vscode/notices/needsYouPresenter';
import { type RecordedScreen, readRecordedScreens } from '../../agents/recordedScreens';
import { anAgentView } from '../../support/fakeEngine';

const NOW = Date.UTC(2026, 0, 2);
const ended: Evidence = { source: 'exit_file', detail: 'ended: code 1', observedAtMs: NOW };

/** What the programs write on these dialogs; of Gemini's on a small screen only the end is left. */
const ASKS_WHO =
  /Select login method:|How would you like to authenticate|Enter Gemini API Key|Sign in with ChatGPT|tos-privacy/;

describe('an agent in trouble', () => {
  it('tells what it said last in the tooltip and in the message', () => {
    const evidence = [ended, ...wordsEvidence(['npm start', 'Error: no such module'], NOW)];
    const agent = anAgentView({ lifecycle: 'failed', exit: { code: 1 }, evidence });
    const end = facts(agent, NOW).find(({ label }) => label === 'Last end');
    assert.equal(end?.value, 'with exit code 1: Error: no such module');
    assert.ok(evidenceLines(agent, NOW).includes('screen: last on its screen: npm start ⏎ Error: no such module (just now)')); // prettier-ignore
    assert.equal(needsYouText([agent]), 'Reviewer: failed with exit code 1: Error: no such module');
    assert.equal(needsYouText([{ ...agent, evidence: [ended] }]), 'Reviewer: failed with exit code 1.');
  });

  it('says the short reason in its row and to screen readers', () => {
    const evidence = [ended, ...wordsEvidence(['npm start', 'Error: no such module'], NOW)];
    const failed = anAgentView({ lifecycle: 'failed', reason: 'exit_code', exit: { code: 1 }, evidence, sinceMs: NOW });
    assert.equal(description(failed, NOW), 'failed with exit code 1 · Error: no such module · just now');
    assert.equal(sentence(failed, NOW), 'Agent Reviewer, failed with exit code 1, Error: no such module, just now');
    const quarantined = { ...failed, lifecycle: 'quarantined', reason: 'restarted_too_often' } as const;
    const why = 'exit code 1: Error: no such module';
    assert.equal(description(quarantined, NOW), `quarantined · ${why} · just now`);
    assert.equal(sentence(quarantined, NOW), `Agent Reviewer, quarantined, ${why}, just now`);
    assert.equal(description({ ...quarantined, exit: { signal: 'SIGKILL' }, evidence: [] }, NOW), 'quarantined · SIGKILL · just now'); // prettier-ignore
    assert.equal(description({ ...quarantined, exit: {}, evidence: [] }, NOW), 'quarantined · restarted too often · just now'); // prettier-ignore
    const waits = { ...failed, lifecycle: 'backoff', reason: 'restart_planned' } as const;
    assert.equal(description(waits, NOW), 'waiting to restart · exit code 1: Error: no such module · just now');
    assert.equal(description({ ...failed, lifecycle: 'running', activity: 'idle' }, NOW), 'idle, just now');
  });

  it('says in its row, to screen readers and in the message what the error of its turn is', () => {
    const said = (source: Evidence['source'], detail: string): readonly Evidence[] => [
      { source, detail, observedAtMs: NOW },
    ];
    const evidence = said('screen', 'aboveBox rule "API error": ✕ [API Error: no such model]');
    const agent = anAgentView({ activity: 'error', reason: 'signal', evidence, sinceMs: NOW });
    assert.equal(description(agent, NOW), 'error · [API Error: no such model] · just now');
    assert.equal(sentence(agent, NOW), 'Agent Reviewer, error, [API Error: no such model], just now');
    assert.equal(needsYouText([agent]), 'Reviewer: error: [API Error: no such model]');
    assert.equal(description({ ...agent, lifecycle: 'paused' }, NOW), 'paused, error · [API Error: no such model] · just now'); // prettier-ignore
    const row = (from: readonly Evidence[]): string => description({ ...agent, evidence: from }, NOW);
    assert.equal(row(said('screen', 'bottom rule "error line": ■ Error: overloaded')), 'error · Error: overloaded · just now'); // prettier-ignore
    assert.equal(row(said('osc', 'OSC 9 rule "failed": quota used up')), 'error · quota used up · just now');
    assert.equal(row(said('hook', 'StopFailure: its turn ended with an error')), 'error · its turn ended with an error · just now'); // prettier-ignore
    assert.equal(row(said('adoption', 'found alive with generation 2')), 'error, just now');
    assert.equal(row([]), 'error, just now');
    assert.equal(needsYouText([{ ...agent, evidence: [] }]), 'Reviewer: error.');
    assert.equal(description({ ...agent, activity: 'busy' }, NOW), 'working, just now');
  });

  it('says in its row what kept it from running where no program ended', () => {
    const row = (reason: string): string =>
      description(anAgentView({ lifecycle: 'failed', reason, exit: {}, sinceMs: NOW, evidence: [] }), NOW);
    assert.equal(row('command_not_found'), 'failed · command not found · just now');
    assert.equal(row('start_deadline_missed'), 'failed · not ready in time · just now');
    assert.equal(row('a_reason_of_later'), 'failed, just now');
    const evidence = wordsEvidence([`Error: ${'x'.repeat(100)}`], NOW);
    const long = description(anAgentView({ lifecycle: 'failed', exit: { code: 1 }, evidence, sinceMs: NOW }), NOW);
    assert.match(long, /^failed with exit code 1 · Error: x{52}… · just now$/);
  });

  it('is said to need a sign-in on every recorded dialog for that, and on no other', () => {
    const types = new Map(builtInTypes().map((type) => [type.id, compileScreen(type, 'bash')]));
    const wrong: string[] = [];
    let count = 0;
    for (const screen of readRecordedScreens()) {
      const agent = viewOf(screen, types.get(screen.typeId)!);
      if (agent.activity !== 'awaiting_input') continue;
      const isSignIn = ASKS_WHO.test(screen.lines.join('\n'));
      count += isSignIn ? 1 : 0;
      const name = screen.set === 'tuning' ? screen.name : 'held out';
      if (needsSignIn(agent) !== isSignIn) wrong.push(`${screen.cli} ${name}: ${stateWords(agent)}`);
    }
    assert.deepEqual(wrong, []);
    assert.ok(count >= 6, `${count} dialogs`);
  });

  it('names the sign-in as the state and as the reason', () => {
    const evidence: Evidence[] = [
      { source: 'screen', detail: 'screen rule "sign-in": Select login method:', observedAtMs: NOW },
    ];
    const agent = anAgentView({ activity: 'awaiting_input', reason: 'ready', evidence });
    assert.equal(stateWords(agent), 'sign in needed');
    assert.equal(facts(agent, NOW).find(({ label }) => label === 'Reason')?.value, 'sign in needed');
    assert.equal(stateWords({ ...agent, activity: 'idle' }), 'idle');
  });
});

function viewOf(screen: RecordedScreen, compiled: Parameters<typeof readScreen>[0]) {
  const { title, foreground, cursor, isInCopyMode, lines } = screen;
  const shown = { text: lines.join('\n'), title, foreground, cursor, isInCopyMode, observedAtMs: 0 };
  const { activity, evidence } = readScreen(compiled, shown);
  return anAgentView({ activity, evidence: [evidence] });
}
