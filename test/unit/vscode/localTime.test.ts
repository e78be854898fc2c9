import assert from 'node:assert/strict';
import { explainText } from '../../../src/vscode/documents/explainText';
import { localTime, zoneName } from '../../../src/vscode/documents/localTime';
import { anAgentView } from '../../support/fakeEngine';

describe('times in documents', () => {
  it('are where the person is, to the millisecond', () => {
    const atMs = Date.UTC(2026, 6, 1, 22, 5, 6, 7);
    assert.equal(localTime(atMs, 'UTC'), '2026-07-01 22:05:06.007');
    assert.equal(localTime(atMs, 'Europe/Berlin'), '2026-07-02 00:05:06.007');
    assert.equal(localTime(atMs, 'Asia/Kolkata'), '2026-07-02 03:35:06.007');
    assert.equal(zoneName('Europe/Berlin'), 'Europe/Berlin');
  });

  it('are those of this machine by default, with the zone told once', () => {
    const zone = zoneName();
    const atMs = Date.UTC(2026, 0, 2);
    const signal = { source: 'hook', activity: 'idle', detail: 'Stop', observedAtMs: atMs, weight: 'decides' } as const;
    const view = anAgentView({});
    const text = explainText(
      view,
      { agentId: view.id, lifecycle: 'running', activity: 'idle', sinceMs: atMs, conclusion: 'so', signals: [signal], degraded: [] },
      atMs,
    ); // prettier-ignore
    assert.equal(localTime(atMs), localTime(atMs, zone));
    assert.equal(text.split(localTime(atMs)).length, 3, text);
    assert.equal(text.split(`times of ${zone}`).length, 2, text);
  });
});
