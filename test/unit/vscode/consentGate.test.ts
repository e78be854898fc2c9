import { strict as assert } from 'node:assert';
import manifest from '../../../package.json';
import type { AgentId } from '../../../src/core/agents/agent';
import { COMMAND_TITLES } from '../../../src/vscode/commandTitles';
import { AgentRow } from '../../../src/vscode/commands/agentRow';
import { COMMAND_CONSENT, ConsentGate } from '../../../src/vscode/commands/consentGate';
import { ownArguments } from '../../../src/vscode/commands/ownArguments';
import { CommandId } from '../../../src/vscode/manifest';
import { anAgentView, FakeEngine } from '../../support/fakeEngine';
import { FakeWindow } from '../../support/fakeWindow';

const id = 'reviewer' as AgentId;
const commands = manifest.contributes.commands.map(({ command }) => command as CommandId);
const TEXT = 'rm -rf /';

/** Commands that change nothing before the person has answered a question of their own (or nothing at all). Every other one must ask. */
const ASK_THEMSELVES = new Set<CommandId>([
  CommandId.AttachAgent, CommandId.OpenAgentBeside, CommandId.OpenMirror, CommandId.ShowReceipts, CommandId.ShowHistory,
  CommandId.ExplainState, CommandId.ReviewRequest, CommandId.ApproveRequest, CommandId.RenameAgent, CommandId.RemoveAgent,
]); // prettier-ignore
const ANSWERS = new Set<CommandId>([CommandId.DenyRequest, CommandId.DenyRequestWithReason]);

/** What somebody else may give to a command that is about an agent. */
const forgeries: readonly (readonly unknown[])[] = [
  [id, undefined, TEXT],
  [{ kind: 'agent', id }, undefined, TEXT],
  [Object.assign(Object.create(AgentRow.prototype), { kind: 'agent', id }), undefined, TEXT],
  [new AgentRow(id), [id], TEXT],
  [id, [new AgentRow(id)], TEXT],
];

function createFixture(isWriteAllowed = false) {
  const [engine, window] = [new FakeEngine(), new FakeWindow()];
  engine.simulateAgent(anAgentView());
  return { engine, window, gate: new ConsentGate({ engine, window, isWriteAllowed: () => isWriteAllowed }) };
}

describe('commands that somebody else runs', () => {
  for (const command of commands) {
    const consent = COMMAND_CONSENT[command];

    it(`S22 ${command} does nothing with what it is given before the person agrees`, async () => {
      for (const args of forgeries) {
        const { gate, window } = createFixture();
        const admitted = await gate.admit(command, args);
        if (consent === 'plain') assert.deepEqual(admitted, [], 'nothing reaches it');
        else if (ASK_THEMSELVES.has(command)) {
          assert.ok(admitted && !admitted.includes(TEXT));
          assert.equal((admitted[0] as AgentRow).id, id);
        } else if (typeof args[0] === 'string' || consent !== 'starts') {
          assert.equal(admitted, undefined, 'it does not run');
          assert.match(
            window.shown.join('\n'),
            new RegExp(`^confirm: ${COMMAND_TITLES[command]}: .* \\[Do Nothing\\|.*\\nAnother extension`),
          );
        }
      }
    });

    if (consent === 'plain' || ASK_THEMSELVES.has(command)) continue;

    it(`S22 ${command} runs when the person agrees, who was told what it is about`, async () => {
      const { gate, window } = createFixture();
      window.answer = COMMAND_TITLES[command];
      const admitted = await gate.admit(command, [id, undefined, TEXT]);
      assert.ok(admitted);
      const asked = window.shown.join('\n');
      if (consent === 'starts') return assert.match(asked, /: reviewer\?/);
      assert.ok(AgentRow.is(admitted[0]));
      assert.match(asked, /: Reviewer\?/);
      assert.equal(asked.includes(TEXT), consent === 'prompts');
      assert.equal(admitted[2], consent === 'prompts' ? TEXT : undefined);
    });

    it(`S22 ${command} with the setting that lets others act`, async () => {
      const { gate, window } = createFixture(true);
      const admitted = await gate.admit(command, [id, undefined, TEXT]);
      assert.equal(admitted === undefined, ANSWERS.has(command), 'what agents ask is answered by a person alone');
      assert.equal(window.shown.length, ANSWERS.has(command) ? 1 : 0);
    });
  }

  it('S22 names every agent, and does it to those alone', async () => {
    const { gate, engine, window } = createFixture();
    const other = 'builder' as AgentId;
    engine.simulateAgent(anAgentView({ id: other, name: 'Builder' }));
    window.answer = 'Stop Agent';
    const [row, rows] = (await gate.admit(CommandId.StopAgent, [id, [id, other, 7, null]])) ?? [];
    assert.deepEqual([row, ...(rows as AgentRow[])].map((each) => (each as AgentRow).id), [id, id, other]); // prettier-ignore
    assert.match(window.shown.join(), /Stop Agent: Reviewer, Builder\?/);
  });

  it('S22 a text without an agent is shown before somebody is picked', async () => {
    const { gate, window } = createFixture();
    assert.equal(await gate.admit(CommandId.SendPrompt, [undefined, undefined, TEXT]), undefined);
    assert.ok(window.shown.join().includes(TEXT));
  });

  it('S22 a text that cannot be read in a dialog is not sent', async () => {
    for (const text of ['x'.repeat(2_001), 'x\n'.repeat(25), 'x\r'.repeat(25), 'x\u2028'.repeat(25)]) {
      const { gate, window } = createFixture();
      window.answer = 'Send Prompt';
      assert.equal(await gate.admit(CommandId.SendPrompt, [id, undefined, text]), undefined);
      assert.match(window.shown.join(), /^warning: Send Prompt: .* too long/);
    }
  });
});

describe('commands that the window runs', () => {
  it('are given rows and what messages are about, without a question', async () => {
    const { gate, window } = createFixture();
    const row = new AgentRow(id);
    const group = { kind: 'group', key: 'state:1' };
    assert.deepEqual(await gate.admit(CommandId.StopAgent, [row, [row, group]]), [row, [row, group]]);
    const own = ownArguments(CommandId.ReleaseQuarantine, [id]);
    assert.deepEqual(await gate.admit(CommandId.ReleaseQuarantine, own), own);
    assert.deepEqual(ownArguments('vscode.open', [id]), [id], 'nothing of ours goes to others');
    assert.deepEqual(window.shown, []);
  });

  it('keep that a person picks: keys and the palette give nothing, a row that is lost gives undefined', async () => {
    const { gate } = createFixture();
    for (const args of [[], [undefined], [undefined, undefined]])
      assert.deepEqual(await gate.admit(CommandId.StopAgent, args), args.slice(0, 1));
    for (const odd of [null, 7, {}, 'Not an id', { kind: 'group', key: 'x' }])
      assert.deepEqual(await gate.admit(CommandId.StopAgent, [odd]), []);
  });
});
