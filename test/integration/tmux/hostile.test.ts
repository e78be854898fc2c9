import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentId } from '../../../src/core/agents/agent';

import type { AgentHost, AgentKey, LaunchSpec } from '../../../src/core/agents/agentHost';
import type { ExitCause } from '../../../src/core/agents/agentState';
import { cleanPasteText } from '../../../src/core/tmux/pasteText';
import { TmuxError } from '../../../src/core/tmux/tmuxErrors';
import { eventually } from '../../support/eventually';
import { requireTmux, TmuxTestServer } from '../../support/tmuxServer';
import { sizedMs, trials } from '../../support/trials';
import { hostileStrings } from './hostileStrings';

/** Writes its folder, its arguments and one variable, each ended by NUL. */
const WITNESS = `{ printf '%s\\0' "$PWD" "$@"; printf '%s\\0' "$HOSTILE"; } > "$0.part"; mv "$0.part" "$0"; exec cat`;

const isRefused = (error: unknown): boolean => TmuxError.is(error, 'tmux.invalidArgument');
const refuses =
  (call: (host: AgentHost, id: AgentId) => unknown) =>
  async (host: AgentHost, id: AgentId): Promise<void> =>
    assert.rejects(async () => call(host, id), isRefused, `${String(call)} of ${id.slice(0, 80)}`);
const takesNoId = undefined;

/** What each member of the port does with an agent id that is none; one that is added without its case does not compile. */
const REFUSALS: Readonly<Record<keyof AgentHost, ((host: AgentHost, id: AgentId) => Promise<void>) | undefined>> = {
  launch: refuses((host, id) => host.launch(aLaunch(id))),
  capture: refuses((host, id) => host.capture(id)),
  paste: refuses((host, id) => host.paste(id, 'x')),
  press: refuses((host, id) => host.press(id, ['Enter'])),
  pressIf: refuses((host, id) => host.pressIf(id, ['Enter'], () => true)),
  leaveCopyMode: refuses((host, id) => host.leaveCopyMode(id)),
  discard: refuses((host, id) => host.discard(id)),
  attachCommand: refuses((host, id) => host.attachCommand(id)),
  launchFolder: refuses((host, id) => host.launchFolder(id, 1)),
  mirror: refuses((host, id) => host.mirror(id, { onData: () => {}, onSize: () => {}, onEnd: () => {} })),
  probe: async (host, id) => assert.equal((await host.probe(id)).kind, 'unknown', id.slice(0, 80)),
  status: takesNoId,
  onDidChangeStatus: takesNoId,
  onDidExit: takesNoId,
  onDidSettleScreen: takesNoId,
  onDidOutput: takesNoId,
  onDidOsc: takesNoId,
  onDidChangeHosted: takesNoId,
  start: takesNoId,
  list: takesNoId,
  attachedClients: takesNoId,
  stop: takesNoId,
  dispose: takesNoId,
};

function aLaunch(agentId: AgentId, changes: Partial<LaunchSpec> = {}): LaunchSpec {
  return { agentId, generation: 1, folder: '/', argv: ['/bin/cat'], env: { PATH: process.env.PATH ?? '' }, ...changes };
}

describe('hostile strings', function () {
  this.timeout(sizedMs(60_000, 600_000, 1_800_000));
  let server: TmuxTestServer;
  let host: AgentHost;
  let canary: string;
  const keeper = 'keeper' as AgentId;

  before(async function () {
    requireTmux(this);
    server = new TmuxTestServer();
    canary = join(server.folder, 'canary');
    host = server.host();
    await host.start();
    await host.launch(aLaunch(keeper, { argv: ['/bin/cat'] }));
  });
  after(() => server?.dispose());

  const sessions = (): string => server.tmux('list-sessions', '-F', '#{session_name} #{session_windows}').stdout;
  const assertUntouched = (before: string): void => {
    assert.deepEqual(
      readdirSync(server.folder).filter((name) => name.startsWith('canary')),
      [],
      'something was executed',
    );
    assert.equal(existsSync(canary), false);
    assert.equal(sessions(), before);
  };

  it('S2 as an agent id are refused by every method, and nothing happens', async () => {
    const before = sessions();
    const repeats = trials(2, 20, 60);
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const text of [...hostileStrings(canary), 'keeper:', '=keeper', 'keep*', `${'a'.repeat(42)}`]) {
        const id = text as AgentId; // the lie under test
        for (const check of Object.values(REFUSALS)) await check?.(host, id);
        await assert.rejects(host.press(keeper, [text as AgentKey]), isRefused);
      }
    }
    assertUntouched(before);
  });

  it('S2 S4 pasted text reaches the program as text, whatever it is', async () => {
    const before = sessions();
    const out = join(server.folder, 'typed');
    const typist = 'typist' as AgentId;
    // Raw mode, echo off: what is typed is what arrives.
    await host.launch(aLaunch(typist, { argv: ['/bin/sh', '-c', `stty raw -echo; echo ready; exec cat > "$0"`, out] }));
    await eventually('the program reads', async () => (await host.capture(typist)).text.includes('ready'));
    let expected = '';
    const repeats = trials(2, 20, 60);
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const text of hostileStrings(canary)) {
        if (text.length > 64 * 1024) {
          await assert.rejects(host.paste(typist, text), (error) => TmuxError.is(error, 'tmux.inputTooLarge'));
          continue;
        }
        await host.paste(typist, text);
        expected += cleanPasteText(text);
      }
      await eventually('all of it has arrived', () => readFileSync(out).length >= Buffer.byteLength(expected), {
        timeoutMs: 20_000,
      });
    }
    assert.equal(readFileSync(out, 'utf8'), expected);
    await host.discard(typist);
    assertUntouched(before);
  });

  it('S4 pasted text cannot end a bracketed paste', async () => {
    const out = join(server.folder, 'bracketed');
    const agentId = 'bracketed' as AgentId;
    const program = `stty raw -echo; printf '\\033[?2004hready'; exec cat > "$0"`;
    await host.launch(aLaunch(agentId, { argv: ['/bin/sh', '-c', program, out] }));
    await eventually('the program reads', async () => (await host.capture(agentId)).text.includes('ready'));
    await host.paste(agentId, 'a\x1b[201~\x03\u009b201~rm -rf x\n');
    const wanted = '\x1b[200~a[201~201~rm -rf x\n\x1b[201~';
    await eventually('it has arrived', () => readFileSync(out).length >= wanted.length);
    assert.equal(readFileSync(out, 'utf8'), wanted);
    await host.discard(agentId);
  });

  it('S3 in folder, arguments and environment of a launch arrive as they are', async () => {
    const before = sessions();
    const texts = hostileStrings(canary);
    const repeats = trials(2, 20, 60);
    for (let repeat = 0; repeat < repeats; repeat++) {
      await Promise.all(texts.map((text, i) => launchWitness(`r${repeat}-${i}` as AgentId, text)));
    }
    assertUntouched(before);
  });

  async function launchWitness(agentId: AgentId, text: string): Promise<void> {
    const out = join(server.folder, `out-${agentId}`);
    const folder = folderNamed(text);
    const env = { PATH: process.env.PATH ?? '', HOSTILE: text };
    const launch = host.launch(aLaunch(agentId, { folder, argv: ['/bin/sh', '-c', WITNESS, out, text], env }));
    if (text.includes('\0')) return assert.rejects(launch, (error) => TmuxError.is(error, 'tmux.invalidArgument'));
    await launch;
    await eventually(`the witness of ${JSON.stringify(text.slice(0, 40))}`, () => existsSync(out), {
      timeoutMs: 20_000,
    });
    const arrived = readFileSync(out);
    const wanted = Buffer.from([folder, text, text, ''].join('\0'));
    assert.deepEqual(arrived, wanted, JSON.stringify(text.slice(0, 80)));
    await host.discard(agentId);
  }

  /** A real folder of that name, where the file system can have it. */
  function folderNamed(text: string): string {
    const name = text
      .replaceAll('/', '\u2215')
      .replaceAll('\0', '')
      .slice(0, 60)
      .replace(/[\ud800-\udfff]/g, '');
    const folder = join(server.folder, 'folders', `x${name}`);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  it('S3 as the program itself, name nothing that runs', async () => {
    const before = sessions();
    const exits = new Map<AgentId, ExitCause>();
    const listener = host.onDidExit(({ agentId, cause }) => void exits.set(agentId, cause));
    /** Gives how it ended, so whatever it was has run; undefined when it was refused. */
    const run = async (agentId: AgentId, program: string): Promise<ExitCause | undefined> => {
      const launch = host.launch(aLaunch(agentId, { argv: [program] }));
      const isRefused = await launch.then(
        () => false,
        (error: unknown) => TmuxError.is(error, 'tmux.invalidArgument') || assert.fail(String(error)),
      );
      if (isRefused) return undefined;
      const what = `the end of ${JSON.stringify(program.slice(0, 80))}`;
      const cause = await eventually(what, () => exits.get(agentId), { timeoutMs: 20_000 });
      await host.discard(agentId);
      return cause;
    };
    const texts = hostileStrings(canary);
    const repeats = trials(1, 20, 60);
    for (let repeat = 0; repeat < repeats; repeat++) {
      const causes = await Promise.all(texts.map((text, i) => run(`p${repeat}-${i}` as AgentId, text)));
      for (const [i, cause] of causes.entries()) {
        const text = texts[i] ?? '';
        if (text === '' || text.startsWith('-') || text.includes('\0')) assert.equal(cause, undefined, text);
        // "Not found", or "cannot be executed": the text as a whole was taken for the name of a program.
        else assert.ok([126, 127].includes(cause?.code ?? 0), `${text.slice(0, 80)}: ${JSON.stringify(cause)}`);
      }
      // What does run in this way has left its trace by then, so a hole would have, too.
      const trace = join(server.folder, `control-${repeat}`);
      const program = `${trace} ;.sh`;
      writeFileSync(program, `#!/bin/sh\ntouch '${trace}'\n`, { mode: 0o700 });
      assert.deepEqual(await run(`c${repeat}` as AgentId, program), { code: 0 });
      assert.equal(existsSync(trace), true, 'the control has run');
      assertUntouched(before);
    }
    listener.dispose();
  });

  it('S2 as names and contents of the files of a launch are written as they are or refused', async () => {
    const before = sessions();
    const repeats = trials(1, 20, 60);
    for (let repeat = 0; repeat < repeats; repeat++)
      await Promise.all(hostileStrings(canary).map((text, i) => launchWithFiles(`f${repeat}-${i}` as AgentId, text)));
    assertUntouched(before);
  });

  async function launchWithFiles(agentId: AgentId, text: string): Promise<void> {
    const folder = host.launchFolder(agentId, 1);
    const shown = JSON.stringify(text.slice(0, 80));
    const isName = text.split('/').every((part) => /^[A-Za-z0-9._-]{1,60}$/.test(part));
    const tryOut = async (changes: Partial<LaunchSpec>, isFine: boolean, check: () => void): Promise<void> => {
      const launch = host.launch(aLaunch(agentId, changes));
      if (!isFine) {
        await assert.rejects(launch, (error) => TmuxError.is(error, 'tmux.invalidArgument'), shown);
        assert.equal(existsSync(folder), false, `${shown}: something was written`);
        return;
      }
      await launch;
      check();
      await host.discard(agentId);
    };
    const holds = (path: string, content: string): void =>
      assert.deepEqual(readFileSync(join(folder, path)), Buffer.from(content), shown);
    await tryOut({ files: { [text]: 'x' } }, isName, () => holds(text, 'x'));
    await tryOut({ files: { [`deep/${text}`]: 'x' } }, isName, () => holds(`deep/${text}`, 'x'));
    await tryOut({ files: { 'a.json': text } }, true, () => holds('a.json', text));
  }

  it('S2 on a screen do not confuse the control connection', async () => {
    const reader = 'reader' as AgentId;
    const file = join(server.folder, 'screen.txt');
    const lines = [
      '%end 1 2 1',
      '%begin 1 2 1',
      '%error 9 9 1',
      '%exit',
      '%output %0 x',
      'm0\x1fforged',
      ...hostileStrings(canary).filter((text) => text.length < 80 && !text.includes('\x1b')),
    ];
    writeFileSync(file, lines.join('\n'));
    await host.launch(aLaunch(reader, { argv: ['/bin/sh', '-c', 'cat "$0"; exec cat', file], rows: 200 }));
    const screen = await eventually('the screen is read', async () => {
      const { text } = await host.capture(reader);
      return text.includes('😀') ? text : undefined;
    });
    assert.deepEqual(screen.split('\n').slice(0, 5), lines.slice(0, 5));
    assert.equal(host.status.kind, 'ready');
    await host.discard(reader);
  });
});
