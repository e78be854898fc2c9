import assert from 'node:assert/strict';
import type { AgentId } from '../../../src/core/agents/agent';
import type { FoundRecord } from '../../../src/core/engine';
import { foundDocument, foundText } from '../../../src/vscode/commands/foundText';
import { localTime } from '../../../src/vscode/documents/localTime';
import { anAgentView } from '../../support/fakeEngine';

const AT = Date.UTC(2026, 10, 23, 8, 5, 6);
const time = localTime(AT).slice(0, 16);
const scout = anAgentView({ id: 'scout' as AgentId, name: 'Scout', lifecycle: 'running', activity: 'idle' });

/** What was found of `text`, with the first place of `word` marked. */
function aFound(overrides: Partial<FoundRecord>, text: string, word: string): FoundRecord {
  const start = text.indexOf(word);
  return {
    ...{ kind: 'prompt', id: '01JGFJJZ000000000000000001', agentId: scout.id, about: 'acknowledged', atMs: AT },
    snippet: { text: text.replaceAll('\n', ' '), marks: [[start, start + word.length]] },
    ...{ text, isTextCut: false, position: 1 },
    ...overrides,
  };
}

const shown = [
  'Builder (Own tool)',
  '  command: tool --fast build',
  '  folder: /shop',
  '  environment: TOKEN=abc',
  '  to end it: presses C-u',
  '  first prompt: make the basket',
  `  when you or a rule of yours answers what it asks: presses 1 to approve; its question begins with a line that matches '^(Allow this command\\\\?)'`,
].join('\n');
const anApproval = (word: string): FoundRecord => {
  const { agentId: _, ...found } = aFound({ kind: 'approval', id: 'a'.repeat(64), about: 'person' }, shown, word);
  return found;
};

describe('what a search has found', () => {
  it('is told by the agent’s name, what became of the prompt, and the time of the place', () => {
    const found = aFound({}, 'look at the basket', 'basket');
    assert.deepEqual(foundText(found, scout), {
      label: 'Scout',
      description: `acknowledged · prompt of ${time}`,
      detail: 'look at the basket',
    });
    assert.equal(foundText({ ...found, about: 'delivery_unknown' }, scout).description.split(' · ')[0], 'delivery unknown'); // prettier-ignore
    assert.equal(foundText(found, undefined).label, 'scout (removed)');
  });

  it('tells a line of history by its agent, the state that began, and why', () => {
    const found = aFound({ kind: 'history', about: 'failed, unknown' }, 'exited: ended with code 137', 'code');
    assert.deepEqual(foundText(found, scout), {
      label: 'Scout',
      description: `failed, unknown · history of ${time}`,
      detail: 'exited: ended with code 137',
    });
    const { fileName, text } = foundDocument(found, undefined);
    assert.equal(fileName, 'History of scout (removed).txt');
    assert.match(text, /^History of scout \(removed\), .*: failed, unknown\n\nexited: ended with code 137\n$/);
  });

  it('says of an agent what it does, and nothing twice', () => {
    const found = aFound({ kind: 'agent', id: 'scout', about: 'Scout' }, 'Scout', 'Scout');
    assert.deepEqual(foundText(found, scout), { label: 'Scout', description: `idle · agent made ${time}`, detail: '' });
    assert.match(foundText(found, undefined).description, /^removed · /);
  });

  it('shows of an approved command what a person reads: whose it is and what runs, never hashes or patterns', () => {
    const told = foundText(anApproval('build'), undefined);
    assert.deepEqual(told, {
      label: 'Builder (Own tool)',
      description: `approved command · ${time}`,
      detail: 'tool --fast build',
    });
    assert.equal(foundText(anApproval('basket'), undefined).detail, 'first prompt: make the basket');
    assert.equal(foundText(anApproval('/shop'), undefined).detail, 'folder: /shop');
    assert.equal(foundText(anApproval('dialogTop'), undefined).detail, 'tool --fast build');
    const other = foundText({ ...anApproval('build'), text: '' }, undefined);
    assert.equal(other.label, 'Approved command');
  });

  it('tells how a request was answered before everything else', () => {
    const found = aFound({ kind: 'approval', about: 'allowed in the window' }, 'Bash: npm test', 'npm');
    assert.deepEqual(foundText(found, scout), {
      label: 'Scout',
      description: `allowed in the window · request of ${time}`,
      detail: 'Bash: npm test',
    });
    const { fileName, text } = foundDocument(found, scout);
    assert.equal(fileName, 'Request of Scout.txt');
    assert.match(text, /^Request of Scout, .*: allowed in the window\n\nBash: npm test\n/);
  });

  it('opens with words and the local time in front', () => {
    const prompt = foundDocument(aFound({ isTextCut: true }, 'look at the basket', 'basket'), scout);
    assert.equal(prompt.fileName, 'Prompt to Scout.txt');
    assert.match(prompt.text, /^Prompt to Scout of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(.+\): acknowledged\n\nlook at the basket\n\n\(The rest/); // prettier-ignore
    const approval = foundDocument(anApproval('build'), undefined);
    assert.ok(approval.text.endsWith(`are left out here:\n\n${shown}\n`));
    const agent = foundDocument(aFound({ kind: 'agent', about: 'Scout' }, '', ''), undefined);
    assert.match(agent.text, /^Agent Scout, made .+, is not there any more\n/);
    for (const { text, fileName } of [prompt, approval, agent]) assert.doesNotMatch(`${fileName}${text}`, /T\d\d:\d\d:\d\d\.\d{3}Z|01JGFJJZ/); // prettier-ignore
  });
});
