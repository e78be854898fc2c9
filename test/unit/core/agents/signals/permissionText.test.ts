import assert from 'node:assert/strict';
import { dialogOf, requestText, showsWhole } from '../../../../../src/core/agents/signals/permissionText';
import { askerType } from '../../../../support/askerType';

function dialog(...lines: readonly string[]): string {
  const found = dialogOf(askerType, ['Allow this command?', ...lines, '❯ 1. Yes', '  2. No'].join('\n'));
  assert.ok(found);
  return found;
}

describe('A dialog that shows a whole request', () => {
  it('has each text and number of it in whole lines, wrapped or not', () => {
    const shown = dialog('  git push', '  --force', '  A scripted', '  command', '  42');
    for (const input of [
      { command: 'git push --force' },
      { command: 'git  push\n--force', description: 'A scripted command' },
      { command: ['git', 'push', '--force'], more: { count: 42, nothing: '', none: null } },
      '{"command": "git push --force"}',
    ])
      assert.equal(showsWhole(shown, input), true, JSON.stringify(input));
  });

  it('S24 is none when anything of it is missing, shortened, joined or told in two ways', () => {
    const shown = dialog('  git push', '  --force', '  A scripted command');
    for (const input of [
      { command: 'git push --force', timeout: 5 },
      { command: 'git push --force', dryRun: false },
      { command: 'git' },
      { command: 'push --force' },
      { command: 'gitpush --force' },
      { command: 'git push --force A' },
      { command: 'git push --force', files: ['a'] },
      { command: 'git push ●--force' },
      {},
      undefined,
      '{"command": "rm", "command": "git push --force"}',
    ])
      assert.equal(showsWhole(shown, input), false, JSON.stringify(input));
  });
});

describe('A request of which its program says that it could not tell all', () => {
  it('S24 counts as cut, and says what is missing', () => {
    const { detail, isCut } = requestText('lab_echo', { 'not-told': 'the input of the tool' }, 'it asks');
    assert.deepEqual([detail, isCut], ['not-told: the input of the tool', true]);
    assert.equal(requestText('lab_echo', { text: 'not-told' }, 'it asks').isCut, false);
  });
});
