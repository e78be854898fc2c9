import assert from 'node:assert/strict';
import { IntegrityNotice } from '../../../src/core/integrityNotice';
import type { IntegrityFinding, IntegrityReport } from '../../../src/core/engine';
import { NoticeBoard } from '../../../src/core/monitoring/noticeBoard';
import { ManualClock } from '../../support/manualClock';

const orphan: IntegrityFinding = {
  ...{ code: 'reference.missing', severity: 'warning', kind: 'delivery', id: 'd1', message: 'its agent is not known' },
  fix: { kind: 'deleteRecord', label: 'Remove this prompt', recordKind: 'delivery', id: 'd1', version: 1 },
};
const advice = { kind: 'advice', text: 'Nothing to do.' } as const;
const gap: IntegrityFinding = { code: 'sequence.gap', severity: 'warning', message: 'a line is missing', fix: advice };
const twins: IntegrityFinding = { code: 'record.duplicate', severity: 'error', message: 'the same name', fix: advice };
const report = (...findings: readonly IntegrityFinding[]): IntegrityReport => ({
  ...{ isWhole: findings.length === 0, findings, isCut: false, records: 9, changes: 12, sessions: 1, settled: 0 },
});

describe('the notice of what a check by itself has found', () => {
  function createFixture() {
    const notices = new NoticeBoard((error) => {
      throw error;
    });
    const notice = new IntegrityNotice(notices, new ManualClock());
    const told = (): readonly string[] => notices.notices.map(({ fingerprint, level }) => `${level} ${fingerprint}`);
    return { notice, notices, told };
  }

  it('says the first and how many more, and where they are dealt with', () => {
    const { notice, notices, told } = createFixture();
    assert.equal(notice.tell(report(orphan, gap, twins)), true);
    assert.deepEqual(told(), ['warning store.findings']);
    assert.match(notices.notices[0]?.detail ?? '', /^delivery d1: its agent is not known\. And 1 more\. Nothing was changed\. Check Store/); // prettier-ignore
  });

  it('is not raised for what is harmless and stays so', () => {
    const { notice, told } = createFixture();
    assert.equal(notice.tell(report(gap)), false);
    assert.deepEqual(told(), []);
  });

  it('is taken back by a check that finds nothing to do, of the schedule or of a person', () => {
    for (const settle of ['tell', 'seen'] as const) {
      const { notice, told } = createFixture();
      notice.tell(report(orphan));
      notice.seen(report(orphan));
      assert.equal(told().length, 1, 'the person has not dealt with it');
      notice[settle](report(gap));
      assert.deepEqual(told(), []);
    }
  });

  it('is not raised by a check whose findings a person sees', () => {
    const { notice, told } = createFixture();
    notice.seen(report(twins));
    assert.deepEqual(told(), []);
  });
});
