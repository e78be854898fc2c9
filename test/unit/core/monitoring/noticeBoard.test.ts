import assert from 'node:assert/strict';
import { NoticeBoard, type NoticeBoardChange } from '../../../../src/core/monitoring/noticeBoard';
import type { AlertNotice } from '../../../../src/core/monitoring/alertSink';

const aNotice = (over: Partial<AlertNotice> = {}): AlertNotice => ({
  fingerprint: 'store.readOnly',
  level: 'error',
  title: 'The store is read-only',
  detail: 'The disk is full.',
  atMs: 1,
  ...over,
});

function createFixture() {
  const board = new NoticeBoard((error) => assert.fail(String(error)));
  const changes: string[] = [];
  board.onDidChange((change: NoticeBoardChange) => changes.push(`${change.kind} ${change.notice.fingerprint}`));
  return { board, changes };
}

describe('NoticeBoard', () => {
  it('announces a condition once however often it is raised, and its end once', () => {
    const { board, changes } = createFixture();
    board.raise(aNotice());
    board.raise(aNotice({ atMs: 2 }));
    board.resolve('store.readOnly');
    board.resolve('store.readOnly');
    assert.deepEqual(changes, ['raised store.readOnly', 'resolved store.readOnly']);
    assert.deepEqual(board.notices, []);
  });

  it('replaces a notice whose text changed and shows the newest first', () => {
    const { board, changes } = createFixture();
    board.raise(aNotice());
    board.raise(aNotice({ fingerprint: 'agent.quarantined:a' }));
    board.raise(aNotice({ detail: 'Still full.', atMs: 3 }));
    assert.deepEqual(
      board.notices.map((notice) => [notice.fingerprint, notice.detail]),
      [
        ['store.readOnly', 'Still full.'],
        ['agent.quarantined:a', 'The disk is full.'],
      ],
    );
    assert.equal(changes.length, 3);
  });

  it('is silent after dispose', () => {
    const { board, changes } = createFixture();
    board.dispose();
    board.raise(aNotice());
    assert.deepEqual(changes, []);
  });
});
