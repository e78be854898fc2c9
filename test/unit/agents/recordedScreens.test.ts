import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { machinePaths, recordedFiles, SCREENS_FOLDER, withoutFolders } from '../../agents/recordedScreens';

describe('recorded screens', () => {
  it('tell nothing of the machine on which they were recorded', () => {
    const told = recordedFiles().flatMap(({ file, screen: { title, lines } }) =>
      machinePaths([title, ...lines].join('\n')).map((path) => `${relative(SCREENS_FOLDER, file)}: ${path}`),
    );
    assert.deepEqual(told, []);
  });

  it('are looked at for homes and folders of any machine, also in the middle of a line', () => {
    const said = 'Path: /home/alice/x, (/Users/alice/x) cwd=/root file:///srv/a/b "/tmp/build-1/x":/opt/tool/bin';
    assert.deepEqual(machinePaths(said), [
      ...['/home/alice/x', '/Users/alice/x', '/root', '/srv/a/b', '/tmp/build-1/x', '/opt/tool/bin'],
    ]);
    const neutral =
      'sh /bin/sh ~/project src/a/b https://a.b/c/d s/^one$/first/ ↑/↓/j/k /help /home/user/x /var/tmp/agent-home-a1B2c3/project';
    assert.deepEqual(machinePaths(neutral), []);
  });

  it('get a neutral path in the place of a folder of the machine, and stay as wide', () => {
    const line = '│ /opt/checkouts/main/test/agents/x │';
    const mended = withoutFolders(line, ['/opt/checkouts/main', '/opt']);
    assert.deepEqual([mended.length, machinePaths(mended)], [line.length, []]);
    assert.match(mended, /^│ \/home\/user\S*\/test\/agents\/x │$/);
  });
});
