import assert from 'node:assert/strict';
import { PasteModes } from '../../../../src/core/tmux/node/pasteModes';

const PANE = '%1';
const ON = '\\033[?2004h';
const OFF = '\\033[?2004l';

describe('bracketed paste, from the output of a terminal', () => {
  /** What is known after these notifications, as tmux writes them. */
  function after(pieces: readonly string[], isLaunched = true): boolean | undefined {
    const modes = new PasteModes();
    for (const piece of pieces) modes.push(PANE, Buffer.from(piece, 'latin1'));
    if (isLaunched) modes.noteLaunched(PANE);
    return modes.isOn(PANE);
  }

  it('is what the program asked for last', () => {
    assert.equal(after([]), false);
    assert.equal(after([`hello ${ON} box`]), true);
    assert.equal(after([ON, 'x'.repeat(500), OFF]), false);
    assert.equal(after([`${OFF}${ON}`, 'x'.repeat(500)]), true);
    assert.equal(after([ON, 'working', `${OFF}run`, `${ON}prompt`]), true);
  });

  it('is found among other modes, and ended by a full reset', () => {
    assert.equal(after(['\\033[?1049;2004;25h']), true);
    assert.equal(after([ON, '\\033[?25;2004l']), false);
    assert.equal(after([ON, 'bye\\033c']), false);
    for (const other of ['\\033[?20041h', '\\033[?12004h', '\\033[2004h', '\\033[?2004$p', '\\134033[?2004h', '2004h'])
      assert.equal(after([other]), false, other);
  });

  it('is found wherever its sequence is divided', () => {
    const text = `${'a'.repeat(200)}${ON}${'b'.repeat(200)}`;
    for (let at = 195; at < 215; at++) {
      assert.equal(after([text.slice(0, at), text.slice(at)]), true, String(at));
      assert.equal(after([OFF, ...text.slice(0, at).match(/.{1,7}/g)!, ...text.slice(at).match(/.{1,3}/g)!]), true);
    }
  });

  it('is not known of what was missed', () => {
    assert.equal(after(['hello'], false), undefined);
    assert.equal(after([ON], false), true);
    const modes = new PasteModes();
    modes.push(PANE, Buffer.from(ON));
    modes.noteGap(PANE);
    assert.equal(modes.isOn(PANE), undefined);
    modes.noteLaunched(PANE);
    assert.equal(modes.isOn(PANE), undefined, 'something was lost before');
    modes.push(PANE, Buffer.from('04h'));
    assert.equal(modes.isOn(PANE), undefined);
    modes.push(PANE, Buffer.from(OFF));
    assert.equal(modes.isOn(PANE), false);
    modes.clear();
    assert.equal(modes.isOn(PANE), undefined);
  });
});
