import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LinuxProcesses } from '../../../src/core/agents/node/linuxProcesses';
import { LoginShellEnvironment } from '../../../src/core/agents/node/loginShellEnvironment';
import { NodeLaunchChecks } from '../../../src/core/agents/node/nodeLaunchChecks';
import { silentLogger } from '../../../src/core/base/log';
import { eventually } from '../../support/eventually';
import { notRun } from '../../support/notRun';

describe('agents: the surroundings of a launch', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'core-env-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Asks a shell whose profile is `profile`. */
  function ask(shell: string, profile: string, timeoutMs?: number, nowMs?: () => number): LoginShellEnvironment {
    for (const file of ['.profile', '.bash_profile', '.zprofile']) writeFileSync(join(folder, file), profile);
    const ours = { HOME: folder, PATH: process.env.PATH, CLAUDECODE: '1', ANTHROPIC_API_KEY: 'of the editor' };
    return new LoginShellEnvironment({
      shell,
      execPath: process.execPath,
      process: ours,
      log: silentLogger,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(nowMs && { nowMs }),
    });
  }

  describe('LoginShellEnvironment', () => {
    for (const shell of ['/bin/bash', '/bin/sh', '/bin/zsh']) {
      it(`reads what ${shell} exports, whatever its profile prints, and nothing of the editor`, async function () {
        if (!existsSync(shell)) notRun(this, `${shell} is not installed`);
        const environment = ask(
          shell,
          'echo noise; echo "{}"; printf "\\033[31m"; export MY_KEY="a b\n\u00fc"; export ANTHROPIC_API_KEY=own; PATH="/mine:$PATH"; export PATH\n',
        );
        const { loginShell, reason } = await environment.read();
        assert.equal(reason, undefined);
        assert.deepEqual(
          [loginShell?.['MY_KEY'], loginShell?.['ANTHROPIC_API_KEY'], loginShell?.['CLAUDECODE']],
          ['a b\nü', 'own', undefined],
        );
        assert.match(loginShell?.['PATH'] ?? '', /^\/mine:/);
        assert.ok(
          !Object.keys(loginShell ?? {}).some((name) => name.startsWith('CORE_ENV_') || name.startsWith('ELECTRON_')),
        );
      });
    }

    it('asks once, however often it is read', async () => {
      const count = join(folder, 'count');
      const environment = ask('/bin/bash', `echo x >> '${count}'\n`);
      await Promise.all([environment.read(), environment.read()]);
      await environment.read();
      assert.equal(readFileSync(count, 'utf8'), 'x\n');
    });

    it('asks again after a failure, at most once a minute, and tells the last failure until it succeeds', async () => {
      const count = join(folder, 'count');
      let nowMs = 5;
      const environment = ask('/bin/bash', `echo x >> '${count}'; exit 3\n`, undefined, () => nowMs);
      const asked = (): number => readFileSync(count, 'utf8').length / 2;
      assert.equal(environment.lastFailure, undefined);
      await Promise.all([environment.read(), environment.read()]);
      assert.match(environment.lastFailure ?? '', /ended without an answer \(3\)/);
      nowMs += 59_000;
      assert.deepEqual([(await environment.read()).reason, asked()], [environment.lastFailure, 1]);
      nowMs += 2_000;
      await Promise.all([environment.read(), environment.read()]);
      assert.equal(asked(), 2);
      nowMs += 61_000;
      ask('/bin/bash', `echo x >> '${count}'; export MINE=1\n`); // the person has mended the profile
      assert.equal((await environment.read()).loginShell?.['MINE'], '1');
      nowMs += 600_000;
      await environment.read();
      assert.deepEqual([environment.lastFailure, asked()], [undefined, 3]);
    });

    it('gives up in time, says why, and ends what the profile started', async () => {
      const started = performance.now();
      const pidFile = join(folder, 'pid');
      const { loginShell, reason } = await ask(
        '/bin/bash',
        `echo $$ > '${pidFile}'; trap '' TERM HUP; sleep 600\n`,
        1_500,
      ).read();
      assert.equal(loginShell, undefined);
      assert.match(reason ?? '', /no answer within 1500 ms/);
      assert.ok(performance.now() - started < 10_000);
      const pid = Number(readFileSync(pidFile, 'utf8'));
      if (process.platform === 'linux')
        await eventually('the shell is gone', async () => (await new LinuxProcesses().identify(pid)) === undefined);
    });

    for (const [what, shell, profile] of [
      ['a shell that is not there', '/no/such/shell', ''],
      ['a profile that leaves', '/bin/bash', 'exit 3\n'],
    ] as const) {
      // prettier-ignore
      it(`answers without it for ${what}`, async () => {
        const { loginShell, reason } = await ask(shell, profile).read();
        assert.equal(loginShell, undefined);
        assert.ok(reason);
      });
    }
  });

  describe('NodeLaunchChecks', () => {
    const checks = new NodeLaunchChecks();

    it('finds programs as a launch would: by the path, by a relative path from the folder, absolute', async () => {
      const bin = join(folder, 'bin');
      mkdirSync(bin);
      mkdirSync(join(folder, 'dir'));
      for (const [name, mode] of [
        ['tool', 0o755],
        ['text', 0o644],
      ] as const) {
        // prettier-ignore
        writeFileSync(join(bin, name), '#!/bin/sh\n');
        chmodSync(join(bin, name), mode);
      }
      const tool = join(bin, 'tool');
      assert.equal(await checks.findCommand('tool', `/nowhere::${bin}`, '/'), tool);
      assert.equal(await checks.findCommand('./bin/tool', '', folder), tool);
      assert.equal(await checks.findCommand('tool', 'bin', folder), tool);
      assert.equal(await checks.findCommand(tool, '', '/'), tool);
      for (const [command, path] of [
        ['text', bin],
        ['none', bin],
        ['dir', folder],
        ['tool', ''],
        ['../tool', bin],
      ] as const) {
        // prettier-ignore
        assert.equal(await checks.findCommand(command, path, folder), undefined, command);
      }
    });

    it('knows folders from files and from nothing', async () => {
      writeFileSync(join(folder, 'file'), '');
      const paths = [folder, join(folder, 'file'), join(folder, 'none'), join(folder, 'file', 'x')];
      assert.deepEqual(await Promise.all(paths.map((path) => checks.isFolder(path))), [true, false, false, false]);
    });
  });
});
