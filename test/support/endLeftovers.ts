import { execFileSync } from 'node:child_process';

/** Kills what still names this folder of a test in its arguments: a server whose socket another one has taken cannot be asked to end. */
export function endLeftovers(folder: string): void {
  const listing = execFileSync('ps', ['-e', '-o', 'pid=,args='], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
  for (const line of listing.split('\n')) {
    const pid = Number(/^\s*(\d+)/.exec(line)?.[1]);
    if (!pid || pid === process.pid || !line.includes(`${folder}/`)) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // gone by itself
    }
  }
}
