// Every process that comes from one process, as long as this is watched: `new Census(pid)` starts this file as a process of its own.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const EVERY_MS = 10;

/**
 * Looks into /proc every 10 ms from the beginning on. A process counts when its parent is known to come from the root, or when `marker`
 * is in its environment (a daemon's parent is 1). What lives shorter than that may be missed: let it leave a file as well.
 */
export class Census {
  #child;
  #lines = [];
  #ended;

  constructor(rootPid, marker) {
    this.#child = spawn(process.execPath, [fileURLToPath(import.meta.url), String(rootPid), marker], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
    createInterface(this.#child.stdout).on('line', (line) => this.#lines.push(JSON.parse(line)));
  }

  /** What has been seen so far: `{pid, parent, command}`, one entry for each program that a process has been. */
  seen() {
    return this.#lines.filter((line) => line.pid !== undefined);
  }

  /** How many times everything was looked at. */
  looks() {
    return this.#lines.findLast((line) => line.looks !== undefined)?.looks ?? 0;
  }

  /** Ends it; what it had still to say has been heard when this resolves. */
  async end() {
    this.#child.stdin.end();
    await this.#ended;
  }
}

/** Pid of the parent. */
function parentOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return +stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
}

/** The command line; of a process that has ended and still has its entry only the name is left: `[sh]`. */
function commandOf(pid) {
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim().slice(0, 500);
  return command || `[${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()}]`;
}

const isGone = (error) => ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(error.code);

/** The watcher. */
async function watch(rootPid, marker) {
  const known = new Map([[rootPid, commandOf(rootPid)]]);
  const strangers = new Set();
  const note = (pid, parent, command) => {
    known.set(pid, command);
    console.log(JSON.stringify({ pid, parent, command }));
  };
  const look = (pid) => {
    const command = commandOf(pid);
    if (known.has(pid)) {
      if (command !== known.get(pid)) note(pid, parentOf(pid), command); // it has become another program
      return;
    }
    const parent = parentOf(pid);
    if (known.has(parent) || readFileSync(`/proc/${pid}/environ`, 'latin1').includes(marker))
      note(pid, parent, command);
    else strangers.add(pid);
  };
  let isOver = false;
  process.stdin.on('end', () => (isOver = true)).resume();
  for (let looks = 1; !isOver; looks++) {
    const pids = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
    for (const pid of pids) {
      if (pid === process.pid || pid === process.ppid || strangers.has(pid)) continue;
      try {
        look(pid);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }
    if (looks % 20 === 1) console.log(JSON.stringify({ looks }));
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await watch(+process.argv[2], process.argv[3]);
