import { strict as assert } from 'node:assert';
import { builtInTypes } from '../../../src/core/agents/builtInTypes';
import { AgentTypes } from '../../../src/core/agentTypes';
import { ListedAgentTypes, MAX_LISTED_TYPES } from '../../../src/core/listedAgentTypes';

const mine = { id: 'mine', label: 'Mine', command: ['mine'] };

function createFixture() {
  const types = new AgentTypes(builtInTypes, (error) => assert.fail(String(error)));
  let changes = 0;
  types.onDidChange(() => changes++);
  const listed = new ListedAgentTypes({ registerAgentType: (manifest) => types.register(manifest) });
  const own = (): string =>
    types.infos
      .filter(({ isBuiltIn }) => !isBuiltIn)
      .map(({ id, label }) => `${id} ${label}`)
      .join();
  return { listed, own, changes: () => changes };
}

describe('agent types of a list', () => {
  it('are registered, changed and taken away as the list says; what stays is not touched', () => {
    const { listed, own, changes } = createFixture();
    const other = { ...mine, id: 'other' };
    assert.deepEqual(listed.set([mine, other]), []);
    assert.equal(own(), 'mine Mine,other Mine');
    const before = changes();
    assert.deepEqual(listed.set([mine, other]), []);
    assert.equal(changes(), before);
    assert.deepEqual(listed.set([{ ...mine, label: 'Changed' }]), []);
    assert.equal(own(), 'mine Changed');
    listed.dispose();
    assert.equal(own(), '');
  });

  it('with mistakes are told with their place, and keep no other from it', () => {
    const { listed, own } = createFixture();
    const problems = listed.set([
      ...[null, 'x', { ...mine, id: 'demo' }, { ...mine, label: 1 }, mine, mine, { ...mine, label: 'Again' }],
      { ...mine, id: 'rules', screenRules: [{ id: 'x', activity: 'idle', where: 'bottom', pattern: '(a+)+' }] },
    ]);
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['[0]', '[1]', '[2].id', '[3].label', '[5]', '[6].id', '[7].screenRules[0].pattern'],
    );
    assert.equal(own(), 'mine Mine');
    assert.deepEqual(listed.set([mine]), []);
  });

  it('are not without end', () => {
    const { listed, own } = createFixture();
    const many = Array.from({ length: MAX_LISTED_TYPES + 1 }, (_, index) => ({ ...mine, id: `mine-${index}` }));
    assert.equal(listed.set(many).length, 1);
    assert.equal(own().split(',').length, MAX_LISTED_TYPES);
  });
});
