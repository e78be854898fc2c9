import { spawn } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrialRun } from '../doctor';

const MAX_OUTPUT_LENGTH = 64 * 1024;

/** {@link TrialRun} on the real machine. */
export class NodeTrialRun implements TrialRun {
  run: TrialRun['run'] = (program, args, { env, folder, timeoutMs }, signal) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL', signal,
      }); // prettier-ignore
      let output = '';
      const take = (text: string): void => void (output = (output + text).slice(0, MAX_OUTPUT_LENGTH));
      child.stdout.setEncoding('utf8').on('data', take);
      child.stderr.setEncoding('utf8').on('data', take);
      child.on('error', reject);
      child.on('exit', (code) => {
        // What it started may hold its output open: the answer is what came by now.
        setTimeout(() => {
          child.stdout.destroy();
          child.stderr.destroy();
          resolve({ code: code ?? undefined, output });
        }, 50);
      });
    });

  async makeFolder(): Promise<{ readonly path: string; remove(): Promise<void> }> {
    const path = await realpath(await mkdtemp(join(tmpdir(), 'core-orchestrator-check-')));
    return { path, remove: () => rm(path, { recursive: true, force: true }) };
  }
}
