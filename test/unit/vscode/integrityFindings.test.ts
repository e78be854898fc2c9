import assert from 'node:assert/strict';
import { findingKey } from '../../../src/core/data/integrity/integrityReport';
import type { IntegrityFinding, IntegrityReport } from '../../../src/core/engine';
import { IntegrityFindings, integrityText } from '../../../src/vscode/data/integrityFindings';
import { FakeEngine } from '../../support/fakeEngine';
import { FakeWindow } from '../../support/fakeWindow';

const line: IntegrityFinding = {
  ...{
    code: 'reference.missing',
    severity: 'warning',
    kind: 'line',
    id: 'l1',
    path: '/owner',
    message: 'nobody owns it',
  },
  fix: { kind: 'deleteRecord', label: 'Remove it', recordKind: 'line', id: 'l1', version: 2 },
};
const gone = (id: string): IntegrityFinding => ({
  ...{ code: 'terminal.gone', severity: 'error', kind: 'agent', id, message: 'tmux has no session of it' },
  fix: { kind: 'reconcile', label: 'Compare again' },
});
const odd: IntegrityFinding = {
  ...{ code: 'record.duplicate', severity: 'warning', kind: 'agent', id: 'a', message: 'same name *as* [x](y)' },
  fix: { kind: 'advice', text: 'Rename one.' },
};
const report = (...findings: readonly IntegrityFinding[]): IntegrityReport => ({
  ...{ isWhole: findings.length === 0, findings, isCut: false, records: 9, changes: 12, sessions: 1, settled: 0 },
});

describe('findings of a check', () => {
  function createFixture(...answers: readonly (string | undefined)[]) {
    const [engine, window] = [new FakeEngine(), new FakeWindow()];
    const documents = new Map<string, string>();
    const show = async (name: string, content: string): Promise<unknown> => documents.set(name, content);
    window.nextAnswers.push(...answers);
    const findings = new IntegrityFindings({ engine, window, documents: { show, close: async () => undefined } });
    return { engine, window, documents, findings };
  }

  it('says that nothing was found, and what is not known', async () => {
    const { window, findings } = createFixture();
    await findings.show(report());
    assert.deepEqual(window.shown, ['information: Everything that is kept is whole: 9 records, 12 changes, 1 sessions. []']); // prettier-ignore
    const unknown = { ...odd, code: 'terminal.unknown', severity: 'info', message: 'tmux could not be asked' } as const;
    await findings.show({ ...report(unknown), isWhole: true });
    assert.match(window.shown.at(-1) ?? '', /^information: .* But tmux could not be asked\. \[\]/);
  });

  it('changes nothing before a question was answered, and shows the list again', async () => {
    const { engine, window, findings } = createFixture('Show Findings', findingKey(line), undefined, undefined);
    await findings.show(report(line));
    assert.deepEqual(engine.calls, []);
    assert.equal(window.shown.filter((text) => text.startsWith('choose:')).length, 2);
    assert.match(window.shown[0] ?? '', /^warning: The check found one thing in 9 records/);
  });

  it('deals with one after the other; one comparison settles all sessions', async () => {
    const { engine, window, findings } = createFixture(
      ...['Show Findings', findingKey(gone('b')), 'Compare again', undefined, findingKey(line), 'Remove it'],
    );
    await findings.show(report(line, gone('b'), gone('c')));
    assert.deepEqual(engine.calls, ['fixIntegrity reconcile', 'fixIntegrity line l1']);
    assert.match(
      window.shown[1] ?? '',
      /^choose: Check Store \[Fix: tmux has.*\|Fix: tmux has.*\|Fix: nobody owns it\|Show Report\]/,
    );
    assert.match(window.shown.at(-1) ?? '', /dealt with/);
  });

  it('says what a person can do where no program may act', async () => {
    const { engine, window, findings } = createFixture('Show Findings', findingKey(odd), 'OK', undefined);
    await findings.show(report(odd));
    assert.deepEqual(engine.calls, []);
    assert.ok(window.shown.some((text) => text.startsWith('confirm: ') && text.endsWith('Rename one.')));
  });

  it('a report is text, whatever records hold', () => {
    const text = integrityText({ ...report(odd), isCut: true, settled: 2 });
    assert.equal(text.includes('[x](y)'), false);
    assert.match(text, /There were more\.[^]*2 more were about records that were written/);
  });
});
