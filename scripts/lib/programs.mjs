// Programs of the machine: what they are for, and the line that installs them here, by the package manager on the PATH.
import { readFileSync } from 'node:fs';

/** The package managers, in the order in which they are looked for, each with its command. */
const LINUX_MANAGERS = {
  'apt-get': 'apt-get install -y',
  dnf: 'dnf install -y',
  pacman: 'pacman -S --needed',
  zypper: 'zypper install',
  apk: 'apk add',
};
const BREW = { brew: 'brew install' };

const nodeMajor = process.versions.node.split('.')[0];

/** The oldest tmux that is used, as `src/core/tmux/tmuxVersion.ts` has it. */
export const MINIMUM_TMUX = { major: 3, minor: 3 };
const TMUX = `tmux ${MINIMUM_TMUX.major}.${MINIMUM_TMUX.minor} or newer`;

/** Name → in words, and the packages of each manager. */
const PROGRAMS = {
  tmux: { what: TMUX, packages: everywhere('tmux') },
  chromium: { what: 'Chromium', packages: { ...everywhere('chromium'), 'apt-get': isUbuntu() ? 'chromium-browser' : 'chromium' } }, // prettier-ignore
  'g++': {
    what: 'a C++ compiler',
    packages: { 'apt-get': 'g++ make', dnf: 'gcc-c++ make', pacman: 'gcc make', zypper: 'gcc-c++ make', apk: 'g++ make', brew: 'gcc make' }, // prettier-ignore
  },
  python3: { what: 'Python 3', packages: { ...everywhere('python3'), pacman: 'python' } },
  sqlite3: { what: 'the sqlite3 program', packages: { ...everywhere('sqlite'), 'apt-get': 'sqlite3', zypper: 'sqlite3' } }, // prettier-ignore
  zsh: { what: 'zsh', packages: everywhere('zsh') },
  fish: { what: 'fish', packages: everywhere('fish') },
  headers: {
    what: "Node's headers",
    packages: { 'apt-get': 'libnode-dev', dnf: 'nodejs-devel', pacman: 'nodejs', zypper: `nodejs${nodeMajor}-devel`, apk: 'nodejs-dev', brew: 'node' }, // prettier-ignore
  },
};

function everywhere(name) {
  return Object.fromEntries([...Object.keys(LINUX_MANAGERS), ...Object.keys(BREW)].map((manager) => [manager, name]));
}

/** Ubuntu names Chromium otherwise than Debian does. */
function isUbuntu() {
  try {
    return /^ID=ubuntu$/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false; // no Linux, or one that does not say
  }
}

/** Of the output of `tmux -V`; `master` has no number and is newer than any. */
export function isTmuxNewEnough(output) {
  if (/^tmux master/.test(output)) return true;
  const [, major, minor] = /(\d+)\.(\d+)/.exec(output)?.map(Number) ?? [];
  return major > MINIMUM_TMUX.major || (major === MINIMUM_TMUX.major && minor >= MINIMUM_TMUX.minor);
}

/** What to do when this tmux is too old and the package manager has none newer. `found`: its `tmux -V`. */
export const olderTmuxNote = (found) =>
  `${found} is too old: where the package manager has none newer, install one beside it, by Homebrew (https://brew.sh) or from its source ` +
  '(https://github.com/tmux/tmux/wiki/Installing), and put it first on the PATH; in VS Code the setting coreOrchestrator.tmuxPath may name it';

/** `tmux 3.3 or newer, Chromium` */
export const inWords = (names) => names.map((name) => PROGRAMS[name].what).join(', ');

export const packagesOf = (names, manager) => names.flatMap((name) => PROGRAMS[name].packages[manager].split(' '));

/**
 * What a person does to get these programs, as one sentence. `which` answers the path of a program or undefined; `platform`
 * and `isRoot` are those of this process.
 */
export function installLine(names, { which, platform = process.platform, isRoot = process.getuid?.() === 0 }) {
  const managers = platform === 'darwin' ? BREW : LINUX_MANAGERS;
  const manager = Object.keys(managers).find((name) => which(name));
  if (!manager) {
    return platform === 'darwin'
      ? 'Install Homebrew from https://brew.sh, then: ' + `brew install ${packagesOf(names, 'brew').join(' ')}`
      : 'Install them with the package manager of this system (it has none that is known here: apt-get, dnf, pacman, zypper, apk)';
  }
  const line = `${managers[manager]} ${packagesOf(names, manager).join(' ')}`;
  if (manager === 'brew' || isRoot) return `Install with: ${line}`;
  return which('sudo') ? `Install with: sudo ${line}` : `Install as root with: ${line}`;
}
