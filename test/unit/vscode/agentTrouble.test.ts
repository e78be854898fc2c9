import { strict as assert } from 'node:assert';
import { builtInTypes } from '../../../src/core/agents/builtInTypes';
import type { Evidence } from '../../../src/core/agents/agentState';
import { wordsEvidence } from '../../../src/core/agents/lastWords';
import { compileScreen, readScreen } from '../../../src/core/agents/screenReader';
import { needsSignIn, stateWords } from '../../../src/vscode/agents/agentText';
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
