import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AGENT_ID_PATTERN, type AgentSpec } from '../../../src/core/agents/agent';
import { AgentError } from '../../../src/core/agents/agentErrors';
import { AgentFactory } from '../../../src/core/agents/agentFactory';
import { parseAgentSpec } from '../../../src/core/agents/agentSpec';
import { preparePrompt } from '../../../src/core/agents/delivery/preparePrompt';
import { AgentSupervisor } from '../../../src/core/agents/agentSupervisor';
import { parseAgentType } from '../../../src/core/agents/agentTypeParser';
import type { Agent } from '../../../src/core/agents/baseAgent';
import { builtInTypes } from '../../../src/core/agents/builtInTypes';
import { LinuxProcesses } from '../../../src/core/agents/node/linuxProcesses';
import { NodeLaunchChecks } from '../../../src/core/agents/node/nodeLaunchChecks';
import { PsProcesses } from '../../../src/core/agents/node/psProcesses';
import { cleanText } from '../../../src/core/agents/visibleText';
import { SystemClock } from '../../../src/core/base/clock';
import { silentLogger } from '../../../src/core/base/log';
import { cleanPasteText } from '../../../src/core/tmux/pasteText';
import { CountingIds } from '../../support/builders';
import { eventually } from '../../support/eventually';
import { FakeAgentStore } from '../../support/fakeAgentStore';
import { FakeDeliveryStore } from '../../support/fakeDeliveryStore';
import { requireTmux, TmuxTestServer } from '../../support/tmuxServer';
import { sizedMs, trials } from '../../support/trials';
import { hostileStrings } from '../tmux/hostileStrings';

/** Writes its folder, its arguments and two variables, each ended by NUL, then every byte that is typed into it. */
const WITNESS = `{ printf '%s\\0' "$PWD" "$@" "$HOSTILE" "$TYPE_HOSTILE"; } > "$OUT.part"
stty raw -echo; mv "$OUT.part" "$OUT"; printf '\\033[?2004h'; echo ready; exec cat > "$OUT.typed"`;
const TEXTS_AT_ONCE = 2;

/** What one agent must have seen. */
interface Expected {
  readonly spec: AgentSpec;
  readonly args: readonly string[];
  readonly typeValue: string;
  /** Typed when the agent is stopped. */
  readonly quitText?: string;
}

describe('hostile strings in the profile of an agent', function () {
  this.timeout(sizedMs(90_000, 600_000, 1_800_000));
  let server: TmuxTestServer;
  let factory: AgentFactory;
  let supervisor: AgentSupervisor;
  let canary: string;
  let witness: string;

  before(async function () {
    requireTmux(this);
    server = new TmuxTestServer();
    canary = join(server.folder, 'canary');
    witness = join(server.folder, 'witness');
    writeFileSync(witness, `#!/bin/sh\n${WITNESS}\n`);
    chmodSync(witness, 0o755);
    factory = new AgentFactory(
      // What is typed into a real shell is run: that is what a shell is for. This one only writes it down.
      { shell: witness, execPath: process.execPath, demoAgent: '/nowhere', workspaceId: `t${Date.now().toString(36)}` },
      builtInTypes(),
      (error) => assert.fail(String(error)),
    );
    supervisor = new AgentSupervisor(
      {
        host: server.host(),
        store: new FakeAgentStore(),
        deliveries: new FakeDeliveryStore(),
        processes: process.platform === 'linux' ? new LinuxProcesses() : new PsProcesses(),
        checks: new NodeLaunchChecks(),
        environment: { read: () => Promise.resolve({ process: process.env, loginShell: undefined }) },
        factory,
        notices: { raise: () => undefined, resolve: () => undefined },
        clock: new SystemClock(),
        ids: new CountingIds(),
        log: silentLogger,
        random: () => 0.5,
      },
      () => ({ recoveredFolder: server.folder }),
    );
    await supervisor.begin();
    const keeper = await supervisor.create({
      name: 'Keeper',
      typeId: 'command',
      folder: server.folder,
      command: ['cat'],
    });
    await supervisor.start(keeper.id);
  });

  after(() => {
    supervisor?.dispose();
    server?.dispose();
  });

  const sessions = (): readonly string[] =>
    server.tmux('list-sessions', '-F', '#{session_name} #{session_windows}').stdout.trim().split('\n').sort();

  function assertUntouched(before: readonly string[]): void {
    const canaries = readdirSync(server.folder).filter((name) => name.startsWith('canary'));
    assert.deepEqual(canaries, [], 'something was executed');
    assert.deepEqual(sessions(), before);
  }

  it('S3 every field reaches the agent as it is or is refused by name, and nothing of it is executed', async () => {
    const before = sessions();
    const corpus = hostileStrings(canary);
    const count = trials(12, corpus.length, corpus.length * 3);
    // A sample goes over the whole corpus in equal steps.
    const step = Math.max(1, Math.floor(corpus.length / count));
    const trial = async (index: number): Promise<void> => {
      const text = corpus[(index * step) % corpus.length] ?? '';
      await Promise.all([ofOwnType(text, index), shell(text, index), command(text, index)]);
    };
    for (let first = 0; first < count; first += TEXTS_AT_ONCE) {
      const indexes = Array.from({ length: Math.min(TEXTS_AT_ONCE, count - first) }, (_, offset) => first + offset);
      await Promise.all(indexes.map(trial));
      assertUntouched(before);
    }
  });

  it('S3 as name of a type, of a folder, of a program or of a variable, they are refused or name nothing', async () => {
    const before = sessions();
    const repeats = trials(1, 20, 60);
    for (const text of Array.from({ length: repeats }, () => hostileStrings(canary)).flat()) {
      const base = { name: 'Nothing', folder: server.folder };
      const specs: readonly AgentSpec[] = [
        { ...base, typeId: text },
        { ...base, typeId: 'shell', folder: text },
        { ...base, typeId: 'shell', folder: `/${text}` },
        { ...base, typeId: 'shell', env: { [text]: 'x' } },
        { ...base, typeId: 'command', command: [text] },
      ];
      for (const spec of specs.filter(({ folder }) => !existsSync(folder) || folder === server.folder)) {
        const failure = await attempt(spec);
        assert.ok(AgentError.is(failure), `${JSON.stringify(spec).slice(0, 200)}: ${String(failure)}`);
      }
    }
    assertUntouched(before);
  });

  /** Creates and starts it; whatever came into being is removed again. Gives the failure. */
  async function attempt(spec: AgentSpec): Promise<unknown> {
    let agent: Agent | undefined;
    try {
      agent = await supervisor.create(spec);
      await supervisor.start(agent.id);
      return undefined;
    } catch (error) {
      return error;
    } finally {
      if (agent) await supervisor.remove(agent.id, { stopFirst: true });
    }
  }

  async function ofOwnType(text: string, index: number): Promise<void> {
    const manifest = {
      id: `witness-${index}`,
      label: 'Witness',
      command: ['/bin/sh', '-c', WITNESS, 'sh'],
      screenRules: [{ id: 'it reads', activity: 'idle', where: 'bottom', pattern: '^ready' }],
      readiness: { when: 'rule' },
      prompt: { canPaste: true },
      graceMs: 300,
    };
    const env = isAcceptedType({ ...manifest, env: { TYPE_HOSTILE: text } }) ? { TYPE_HOSTILE: text } : {};
    const quit = isAcceptedType({ ...manifest, quit: [{ text }] }) ? [{ text }] : [];
    const type = factory.register({ ...manifest, env, quit });
    const spec = profile(text, index, { typeId: manifest.id, name: `own ${index}` });
    const typeValue = env.TYPE_HOSTILE ?? '';
    const expected: Expected = { spec, args: spec.args ?? [], typeValue, ...(quit[0] && { quitText: text }) };
    await live(expected);
    type.dispose();
  }

  async function shell(text: string, index: number): Promise<void> {
    const spec = profile(text, index, { typeId: 'shell', name: `shell ${index}` });
    await live({ spec, args: spec.args ?? [], typeValue: '' });
  }

  async function command(text: string, index: number): Promise<void> {
    const start = ['/bin/sh', '-c', WITNESS, 'sh'];
    const base = profile(text, index, { typeId: 'command', name: `command ${index}` });
    const spec = isAccepted({ ...base, command: [...start, text] })
      ? { ...base, command: [...start, text] }
      : { ...base, command: start };
    await live({ spec, args: [...spec.command.slice(start.length), ...(spec.args ?? [])], typeValue: '' });
  }

  /** A profile with the text in every field that takes it. What is refused is refused with a typed error, and left out. */
  function profile(text: string, index: number, base: Pick<AgentSpec, 'typeId' | 'name'>): AgentSpec {
    const out = join(server.folder, `out-${base.typeId}-${index}`);
    const plain: AgentSpec = { ...base, folder: folderNamed(text), env: { OUT: out }, restartPolicy: 'never' };
    const parts: readonly Partial<AgentSpec>[] = [
      { name: cleanText(`${base.name} ${text}`, 80) },
      { role: text },
      { team: text },
      { firstPrompt: text },
      { args: [text] },
      { env: { OUT: out, HOSTILE: text } },
    ];
    return Object.assign({}, plain, ...parts.filter((part) => isAccepted({ ...plain, ...part }))) as AgentSpec; // assign of a spread is any
  }

  /** From creation over start and first prompt to stop and removal. */
  async function live({ spec, args, typeValue, quitText }: Expected): Promise<void> {
    const where = `${spec.typeId} ${JSON.stringify(spec).slice(0, 200)}`;
    const out = spec.env?.['OUT'] ?? '';
    const agent = await supervisor.create(spec);
    assert.match(agent.id, AGENT_ID_PATTERN, where);
    await supervisor.start(agent.id);
    await eventually(`the witness of ${where}`, () => existsSync(out), { timeoutMs: 20_000 });
    const wanted = [spec.folder, ...args, spec.env?.['HOSTILE'] ?? '', typeValue, ''].join('\0');
    assert.deepEqual(readFileSync(out), Buffer.from(wanted), where);
    // This "shell" runs something in its foreground from the beginning: nothing is typed into that, the prompt waits.
    const { prepared } = preparePrompt(spec.firstPrompt ?? '', factory.get(spec.typeId));
    const isTyped = spec.typeId !== 'shell' && prepared !== '';
    if (!isTyped && spec.firstPrompt !== undefined)
      // undefined: nothing is left of it but what is never typed
      assert.ok(['queued', undefined].includes(supervisor.promptsOf(agent.id).lastReceipt?.state), where);
    const typed = [isTyped ? prepared : undefined, quitText].flatMap(
      (one) => (one === undefined ? [] : [`\u001b[200~${cleanPasteText(one)}\u001b[201~\r`]), // it asks for bracketed pastes
    );
    const first = !isTyped || spec.firstPrompt === undefined ? '' : (typed[0] ?? '');
    await eventually(
      `the first prompt of ${where}`,
      () => readFileSync(`${out}.typed`).length >= Buffer.byteLength(first),
      {
        timeoutMs: 20_000,
      },
    );
    await supervisor.stop(agent.id);
    assert.equal(readFileSync(`${out}.typed`, 'utf8'), typed.join(''), where);
    await supervisor.remove(agent.id);
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
});

function isAccepted(spec: AgentSpec): boolean {
  return parseAgentSpec(spec).ok;
}

function isAcceptedType(manifest: unknown): boolean {
  return parseAgentType(manifest).ok;
}
