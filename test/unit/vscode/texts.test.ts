import { strict as assert } from 'node:assert';
import type { AgentId } from '../../../src/core/agents/agent';
import { AgentError } from '../../../src/core/agents/agentErrors';
import type { FleetPlanEntry } from '../../../src/core/engine';
import { freeName, nameProblem } from '../../../src/vscode/commands/agentName';
import { historyText } from '../../../src/vscode/documents/historyText';
import { setupText } from '../../../src/vscode/documents/setupText';
import { approvalDocument, approvalQuestion, approvalText, fitsDialog } from '../../../src/vscode/fleet/approvalText';
import { describeResult, problemsText } from '../../../src/vscode/fleet/fleetResultText';
import { fleetTemplate } from '../../../src/vscode/fleet/fleetTemplate';
import { withoutIcons, withoutLinks } from '../../../src/vscode/plainText';
import { parseFleetFile } from '../../../src/core/agents/fleetFile';
import { anAgentView } from '../../support/fakeEngine';

const NOW = Date.UTC(2026, 0, 2);

function anEntry(text: string): FleetPlanEntry {
  return { spec: { name: 'A', typeId: 'demo', folder: '/x' }, hash: 'h', isApproved: false, approvalText: text };
}

describe('names of agents', () => {
  it('are checked', () => {
    assert.deepEqual(
      ['', '  ', 'A', 'x'.repeat(81), '😀'.repeat(80), 'a\u0007b', ' B '].map((name) => nameProblem(name, ['B'])),
      [
        'Give a name.',
        'Give a name.',
        undefined,
        'At most 80 characters.',
        undefined,
        'Control characters are not allowed.',
        'Another agent has this name.',
      ],
    );
  });

  it('are proposed so that they are free', () => {
    assert.equal(freeName('Shell', []), 'Shell');
    assert.equal(freeName('Shell', ['Shell', 'Shell 2']), 'Shell 3');
  });
});

describe('approval texts', () => {
  it('S1 hold every command completely', () => {
    const long = anEntry(`run ${'x'.repeat(5_000)} end`);
    const both = [anEntry('first'), long];
    assert.ok(approvalText(both, []).includes(long.approvalText) && approvalText(both, []).includes('first'));
    assert.ok(approvalDocument(both, [], 2).includes(long.approvalText));
    const [question, ...rest] = approvalDocument(both, [], 2).split('\n');
    assert.equal(question, 'Run these 2 commands from the fleet file?');
    assert.deepEqual(rest.slice(0, 5), ['', '', '', '', ''], 'the question is drawn over the first lines');
    assert.deepEqual(
      [fitsDialog(approvalText([anEntry('first')], [])), fitsDialog(approvalText(both, []))],
      [true, false],
    );
    assert.equal(fitsDialog('a\n'.repeat(16)), false);
  });

  it('S24 names the variables of the editor that agents get besides', () => {
    const entry = anEntry('first');
    assert.equal(approvalText([entry], []), entry.approvalText);
    assert.match(
      approvalText([entry], ['HTTPS_PROXY', 'TOKEN']),
      /\n\nIt gets these variables .*: HTTPS_PROXY, TOKEN$/,
    );
    assert.match(approvalDocument([entry, entry], ['TOKEN'], 2), /\n\nEach of them gets .*: TOKEN\n$/);
  });

  it('ask about exactly what is new', () => {
    assert.equal(approvalQuestion([anEntry('a')]), 'Run this command from the fleet file?');
    assert.equal(approvalQuestion([anEntry('a'), anEntry('b')]), 'Run these 2 commands from the fleet file?');
  });
});

describe('results of fleets', () => {
  const result = { succeeded: ['A'], skipped: [], failed: [], isCanceled: false };

  it('are silent when the rows say it all', () => assert.equal(describeResult('started', result), undefined));

  it('name the first failure with its reason, and the others', () => {
    const error = new AgentError('agent.folderMissing', '/gone');
    const said = describeResult('started', {
      ...result,
      failed: [
        { name: 'B', error },
        { name: 'C', error },
      ],
    });
    assert.equal(
      said?.text,
      '1 agent started. B was not started: The folder of this agent does not exist or cannot be entered. Make it again or mend its permissions, then start the agent again; or start a new agent in another folder. (/gone) 1 more failed: C.',
    );
  });

  it('tell who was running already beside those that were started', () => {
    const said = describeResult('started', { ...result, skipped: ['B'] });
    assert.deepEqual([said?.severity, said?.text], ['information', '1 agent started. 1 was running already: B.']);
    const many = { ...result, skipped: ['B', 'C', 'D', 'E', 'F', 'G', 'H'] };
    assert.equal(
      describeResult('started', many)?.text,
      '1 agent started. 7 were running already: B, C, D, E, F and 2 more.',
    );
    const failed = [{ name: 'X', error: new AgentError('agent.nameTaken', 'X') }];
    assert.match(
      describeResult('started', { ...many, failed })?.text ?? '',
      /^1 agent started\. 7 were .* more\. X was not started: /,
    );
    assert.match(
      describeResult('started', { ...many, isCanceled: true })?.text ?? '',
      /^Cancelled: 1 agent started before\. 7 were /,
    );
    assert.equal(describeResult('stopped', many), undefined, 'who was at rest stays so');
  });

  it('tell a cancellation and that there was nothing to do', () => {
    assert.equal(
      describeResult('started', { ...result, isCanceled: true })?.text,
      'Cancelled: 1 agent started before.',
    );
    assert.equal(describeResult('stopped', { ...result, succeeded: [] })?.text, 'No agent was running.');
  });
});

describe('problems of a fleet file', () => {
  it('are told by the first one with its place, the lines of the others, and what to do', () => {
    const problem = { path: 'agents[0].type', message: 'no agent type "x"', line: 2, column: 4 };
    const text = 'The fleet file is not right (line 3, column 5, agents[0].type): no agent type "x".';
    const next = 'Nothing was started. Correct the file, then start the fleet again.';
    assert.equal(problemsText([problem]), `${text} ${next}`);
    const lines = [8, 2, 8].map((line) => ({ ...problem, line }));
    assert.equal(problemsText([problem, ...lines]), `${text} And 3 more, on lines 3, 9: Problems lists all. ${next}`);
    assert.equal(problemsText([problem, lines[0]!]), `${text} And 1 more, on line 9: Problems lists all. ${next}`);
  });
});

describe('the fleet template', () => {
  it('is a right fleet file', () => {
    const file = parseFleetFile(fleetTemplate, { workspaceFolder: '/x', knownTypes: ['demo', 'shell'] });
    assert.deepEqual([file.problems, file.agents.map(({ name }) => name)], [[], ['Scout', 'Shell']]);
  });
});

describe('reports', () => {
  it('of the set-up put problems first and advise', () => {
    const text = setupText(
      [
        { id: 'a', label: 'tmux', level: 'error', detail: 'not found', advice: 'Run `sudo apt install tmux`.' },
        { id: 'b', label: 'Store', level: 'ok', detail: 'two\nlines' },
      ],
      [],
    );
    assert.equal(
      text,
      '# Core Orchestrator: Setup\n\n1 thing needs attention.\n\n## PROBLEM: tmux\n\nnot found\n\nRun \\`sudo apt install tmux\\`.\n\n## All checks\n\n- PROBLEM | tmux: not found\n- ok | Store: two lines\n',
    );
  });

  it('S6 show text of others as text where they are rendered', () => {
    const evil = '<img src=x> [x](command:y) ![](https://e) *b* _i_ `c` &lt; $f$ ~~d~~\n# heading';
    const detail = setupText([{ id: 'a', label: evil, level: 'error', detail: evil, advice: evil }], []);
    const bare = detail.replace(/\\[\\`*_[\]<>&$~#!|]/g, '');
    assert.doesNotMatch(bare.replace(/^#+ /gm, '').replaceAll(' | ', ''), /[`*_[\]<>&$~#!|]/);
    assert.equal(detail.match(/heading$/gm)?.length, 4, 'each stays on its line');
  });

  it('of an agent hold every change with its evidence', () => {
    const state = (lifecycle: 'starting' | 'running', activity: 'unknown' | 'awaiting_input') => ({
      lifecycle,
      activity,
    });
    const text = historyText(
      anAgentView(),
      [
        {
          id: '1',
          agentId: 'reviewer' as AgentId,
          generation: 1,
          atMs: NOW,
          from: state('starting', 'unknown'),
          to: state('running', 'awaiting_input'),
          reason: 'ready',
          actor: 'engine',
          evidence: [{ source: 'screen', detail: 'rule "box"', observedAtMs: NOW }],
        },
      ],
      NOW,
    );
    assert.match(
      text,
      /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.000 {2}start 1 {2}starting -> running, needs input \(awaiting_input\) {2}by engine: ready\n {4}screen: rule "box"\n/,
    );
  });
});

describe('S6 text of agents', () => {
  it('S6 makes neither links nor icons', () => {
    assert.doesNotMatch(withoutLinks('[x](command:workbench.action.quit)'), /\]\(/);
    assert.doesNotMatch(withoutIcons('$(alert) $(sync~spin)'), /\$\(/);
  });
});
