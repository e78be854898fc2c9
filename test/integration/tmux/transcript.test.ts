import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ControlModeParser, type ControlEvent } from '../../../src/core/tmux/controlModeParser';

const fixtures = join(__dirname, 'fixtures');

/** Events as JSON text, escaped bytes as Latin-1. */
function eventsOf(bytes: Uint8Array, chunkBytes: number): string {
  const events: ControlEvent[] = [];
  const parser = new ControlModeParser((event) => events.push(event));
  for (let at = 0; at < bytes.length; at += chunkBytes) parser.push(bytes.subarray(at, at + chunkBytes));
  const lines = events.map((event) =>
    JSON.stringify(
      event.kind === 'output' ? { ...event, escaped: Buffer.from(event.escaped).toString('latin1') } : event,
    ),
  );
  return `${lines.join('\n')}\n`;
}

describe('recorded conversations with tmux', () => {
  for (const name of readdirSync(fixtures).filter((file) => file.endsWith('.txt'))) {
    it(`${name} is understood as its golden file says, however it is cut`, () => {
      const bytes = readFileSync(join(fixtures, name));
      const golden = join(fixtures, name.replace('.txt', '.events.jsonl'));
      if (process.env.CORE_WRITE_GOLDEN) writeFileSync(golden, eventsOf(bytes, bytes.length));
      const expected = readFileSync(golden, 'utf8');
      for (const chunkBytes of [bytes.length, 1, 7, 100])
        assert.equal(eventsOf(bytes, chunkBytes), expected, `chunks of ${chunkBytes}`);
      assert.doesNotMatch(expected, /"violation"|"stray"/);
    });
  }
});
