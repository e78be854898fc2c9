import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { SystemClock } from '../../../src/core/base/clock';
import { silentLogger } from '../../../src/core/base/log';
import { ControlClient } from '../../../src/core/tmux/node/controlClient';
import { TmuxArgs, TmuxStart } from '../../../src/core/tmux/tmuxArgs';
import { installedTmux, requireTmux, TmuxTestServer } from '../../support/tmuxServer';
import { trials } from '../../support/trials';
import { hostileStrings } from './hostileStrings';

describe('quoting for the control-mode line', () => {
  let server: TmuxTestServer;
  let client: ControlClient;

  before(async function () {
    requireTmux(this);
    server = new TmuxTestServer();
    client = new ControlClient({
      program: installedTmux() ?? '',
      args: TmuxStart.owner(server.socketName, '/dev/null'),
      env: server.serverEnv,
      clock: new SystemClock(),
      log: silentLogger,
      onEvent: () => {},
      onEnd: () => {},
    });
    await client.opened;
  });
  after(async () => {
    await client?.close();
    server?.dispose();
  });

  /** What tmux understood, byte by byte. */
  const roundTrip = async (text: string): Promise<Buffer> => {
    const path = join(server.folder, 'buffer');
    await client.run([
      TmuxArgs.setBuffer('b', text),
      { name: 'save-buffer', args: ['-b', 'b', path], isMutating: false },
    ]);
    return readFileSync(path);
  };

  it('S2 every text comes through tmux unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), async (text) => {
        fc.pre(!text.includes('\0'));
        assert.deepEqual(await roundTrip(text), Buffer.from(text));
      }),
      { numRuns: trials(500, 5_000, 20_000) },
    );
  });

  it('S2 so do texts made of what tmux and shells find special', async () => {
    const special = fc.constantFrom(
      ...'"\'\\;#{}$~%`!|&<>()*?[]=-:.,@ \n\t\r\x1b\x07a0é漢',
      '#(',
      '#{',
      '${',
      '\\;',
      ' ; ',
      '\\012',
      '%if',
      '--',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(special, { minLength: 1, maxLength: 30 }), async (parts) => {
        assert.deepEqual(await roundTrip(parts.join('')), Buffer.from(parts.join('')));
      }),
      { numRuns: trials(500, 5_000, 20_000) },
    );
  });

  it('S2 and the hostile corpus, up to 100 KB', async () => {
    for (const text of hostileStrings(join(server.folder, 'canary')).filter(
      (string) => string !== '' && !string.includes('\0'),
    )) {
      assert.deepEqual(await roundTrip(text), Buffer.from(text), JSON.stringify(text.slice(0, 80)));
    }
  });

  it('answers each of thousands of pipelined commands with its own reply', async () => {
    const answers = await Promise.all(
      Array.from({ length: 5_000 }, (_, i) =>
        client.run([TmuxArgs.displayServer(`answer ${i}`)]).then(([answer]) => answer),
      ),
    );
    assert.deepEqual(
      answers,
      Array.from({ length: 5_000 }, (_, i) => `answer ${i}`),
    );
  });

  it('keeps replies and commands together when some fail inside a sequence', async () => {
    const bad = { name: 'kill-window', args: ['-t', '=nobody:'], isMutating: true };
    const results = await Promise.allSettled([
      client.run([TmuxArgs.displayServer('1'), bad, TmuxArgs.displayServer('never')]),
      client.run([TmuxArgs.displayServer('2'), TmuxArgs.displayServer('3')]),
      client.run([bad]),
      client.run([TmuxArgs.displayServer('4')]),
    ]);
    assert.deepEqual(
      results.map((result) =>
        result.status === 'fulfilled' ? result.value : (result.reason as { code: string }).code,
      ),
      ['tmux.noSuchTarget', ['2', '3'], 'tmux.noSuchTarget', ['4']],
    );
  });
});
