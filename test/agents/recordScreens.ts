import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Cli, CliHome, CLIS, installedVersion, TYPE_IDS } from './cliSetup';
import { CliTerminal, type TerminalSize } from './cliTerminal';
import { ModelServer } from './modelServer';
import { recordedFiles, type RecordedScreen, SCREENS_FOLDER, withoutFolders } from './recordedScreens';
import { DIALECTS, SCENES } from './scenes/allScenes';
import { Director } from './scenes/director';
import { MENDED_FOR, SHOWN } from './scenes/shown';
import type { Scene } from './scenes/scene';

const SIZES: readonly TerminalSize[] = [
  { columns: 120, rows: 40 },
  { columns: 80, rows: 24 },
];

/** Of the machine that records: their paths are on no screen that is kept. The longer one first, which may lie in the other. */
const OWN_FOLDERS = [join(__dirname, '../..'), homedir()]
  .filter((folder) => folder.length > 1)
  .sort((a, b) => b.length - a.length);

const NOWHERE = 'http://127.0.0.1:9';

/** Plays one scene of one program and writes what it drew. Resolves with the number of screens. */
async function record(cli: Cli, version: string, size: TerminalSize, scene: Scene): Promise<number> {
  const sizeName = `${size.columns}x${size.rows}`;
  const server = await ModelServer.start();
  const home = new CliHome();
  const terminal = new CliTerminal(home, size);
  let count = 0;
  const director = new Director(
    terminal,
    DIALECTS[cli],
    home.workspace,
    scene.hasNoServer ? undefined : server,
    (name, shown, expected) => {
      const set = MENDED_FOR[cli].includes(name) ? 'tuning' : (scene.set ?? 'tuning');
      const folder = folderOf(set, cli, version, sizeName);
      mkdirSync(folder, { recursive: true });
      const screen: RecordedScreen = {
        cli,
        typeId: TYPE_IDS[cli],
        version,
        size: shown.size,
        name,
        set,
        title: withoutFolders(shown.title, OWN_FOLDERS),
        foreground: shown.foreground,
        cursor: shown.cursor,
        isInCopyMode: shown.isInCopyMode,
        isDead: shown.isDead,
        expected: SHOWN[cli][`${sizeName}/${name}`] ?? SHOWN[cli][name] ?? expected,
        lines: shown.lines.map((line) => withoutFolders(line, OWN_FOLDERS)),
      };
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(screen, undefined, 1) + '\n');
      count++;
    },
  );
  try {
    const serverUrl = scene.hasNoServer ? NOWHERE : server.url;
    await terminal.start(home.setUp(cli, { serverUrl, ...scene.setup }));
    await scene.play(director);
  } finally {
    await terminal.end();
    await server.stop();
    home.dispose();
  }
  return count;
}

/** Writes what `scenes/shown.ts` says into the screens that are there already, and moves those for which a rule was mended. */
function relabel(): void {
  for (const { file, screen } of recordedFiles()) {
    const { cli, name, expected } = screen;
    const [, sizeName = ''] = /(\d+x\d+)[\\/][^\\/]+$/.exec(file) ?? [];
    const shown = SHOWN[cli][`${sizeName}/${name}`] ?? SHOWN[cli][name] ?? expected;
    const set = MENDED_FOR[cli].includes(name) ? 'tuning' : screen.set;
    const folder = folderOf(set, cli, screen.version, sizeName);
    mkdirSync(folder, { recursive: true });
    rmSync(file);
    writeFileSync(
      join(folder, `${name}.json`),
      JSON.stringify({ ...screen, set, expected: shown }, undefined, 1) + '\n',
    );
  }
}

function folderOf(set: RecordedScreen['set'], cli: Cli, version: string, sizeName: string): string {
  return join(SCREENS_FOLDER, ...(set === 'heldOut' ? [set] : []), cli, version, sizeName);
}

/** `recordScreens.ts --relabel`, or `recordScreens.ts [program …] [--size=80x24] [--scene=name,name]` */
async function main(words: readonly string[]): Promise<void> {
  const option = (name: string): readonly string[] | undefined =>
    words
      .find((word) => word.startsWith(`--${name}=`))
      ?.slice(name.length + 3)
      .split(',');
  if (words.includes('--relabel')) return relabel();
  const wanted = CLIS.filter((cli) => words.includes(cli));
  for (const cli of wanted.length > 0 ? wanted : CLIS) {
    const version = installedVersion(cli);
    if (!version) {
      console.log(`${cli}: not installed`);
      continue;
    }
    for (const size of SIZES.filter(({ columns, rows }) => option('size')?.includes(`${columns}x${rows}`) ?? true)) {
      for (const scene of SCENES[cli].filter(({ name }) => option('scene')?.includes(name) ?? true)) {
        const what = `${cli} ${size.columns}x${size.rows} ${scene.name}`;
        await record(cli, version, size, scene).then(
          (count) => console.log(`${what}: ${count} screens`),
          (error: unknown) => console.log(`${what}: FAILED ${String(error)}`),
        );
      }
    }
  }
}

void main(process.argv.slice(2));
