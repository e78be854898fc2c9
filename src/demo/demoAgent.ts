/**
 * The demo agent: a scripted stand-in for a coding agent's terminal program, so that everything can be seen without a
 * model. It needs nothing but Node and is told what to do by its prompts; `help` lists them.
 *
 * Environment: `DEMO_LOG=<file>` appends one JSON line per submitted prompt (`{at, text}`) and per answered dialog
 * (`{at, answer}`) and interrupted work (`{at, interrupted}`); `DEMO_STARTUP_MS=<n>` delays the first prompt, and what is typed before that is lost. What real programs do
 * to those who type into them: `DEMO_REDRAW_MS=<n>` shows a draft so much later; `DEMO_PASTE_ENTER_MS=<n>` takes an Enter that
 * comes within so much after a paste as part of it; `DEMO_FIRST_ENTER=lost` ignores the first Enter of each prompt;
 * `DEMO_COLLAPSE=<n>` shows a paste of more characters as one line in brackets; `DEMO_DIALOG=trust` asks a question before the
 * first prompt; `DEMO_PASTE=plain` does not ask for bracketed paste and takes each line end as Enter. `DEMO_WORK_MS=<n>` is how long it works at a text that is no command; `DEMO_HOOK=<JSON array of a command>` runs
 * the command at each submitted prompt, with `{"hook_event_name", "prompt"}` on its standard input.
 */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { type Key, KeyReader } from './terminalKeys';
import { TerminalScreen, printable } from './terminalScreen';

const HELP = `work N      busy for N seconds          ask         a question with options
approve     a permission question       fail        end with an error
crash N     exit with code N in 1 s     quiet N     busy, screen stands still
loop        work and rest for ever      flood       print 1000 lines
child       start a long-lived child    ignore-term ignore HUP and TERM
/exit       quit                        esc         interrupt`;

/** One line per second of work, so that progress can be seen. */
const PROGRESS = [
  'reading src/app.ts',
  'searching for usages',
  'editing src/app.ts',
  'running the tests',
  'checking the result',
];

interface Dialog {
  readonly title: string;
  readonly lines: readonly string[];
  readonly options: readonly string[];
  readonly hint: string;
  /** Undefined: cancelled. */
  readonly answered: (option: string | undefined) => void;
}

interface Work {
  readonly seconds: number;
  readonly isQuiet: boolean;
  readonly done: () => void;
}

class DemoAgent {
  readonly #queue: string[] = [];
  #draft = '';
  #error = '';
  #dialog: Dialog | undefined;
  #selected = 0;
  #work: Work | undefined;
  #workedSeconds = 0;
  #ticker: NodeJS.Timeout | undefined;
  #isLooping = false;
  #isExitArmed = false;
  #isIgnoringSignals = false;
  readonly #manners = readManners(process.env);
  readonly #screen = new TerminalScreen(process.stdout, this.#manners.takesPaste);
  #pastedAtMs = -Infinity;
  #isEnterLost = false;
  #collapsed = '';
  #pasteCount = 0;
  #redraw: NodeJS.Timeout | undefined;

  start(): void {
    this.#screen.repaint();
    this.#screen.print('demo agent · type help to see what it can do');
    if (this.#manners.dialog === 'trust') this.#askTrust();
    this.#show();
  }

  onKey(key: Key): void {
    const wasArmed = this.#isExitArmed;
    this.#isExitArmed = false;
    if (key.kind === 'interrupt') this.#interruptOrExit(wasArmed);
    else if (this.#dialog) this.#onDialogKey(key, this.#dialog);
    else this.#onDraftKey(key);
    if (this.#manners.redrawMs === 0) return this.#show();
    this.#redraw ??= setTimeout(() => {
      this.#redraw = undefined;
      this.#show();
    }, this.#manners.redrawMs);
  }

  /** The terminal went away. */
  onInputEnd(): void {
    if (!this.#isIgnoringSignals) process.exit(0);
    setInterval(() => undefined, 60_000);
  }

  #onDraftKey(key: Key): void {
    if (key.kind === 'text') this.#draft += key.text;
    else if (key.kind === 'paste') this.#paste(key.text);
    else if (key.kind === 'newline' && this.#manners.takesPaste) this.#draft += '\n';
    else if (key.kind === 'clear') this.#draft = '';
    else if (key.kind === 'backspace') this.#draft = [...this.#draft].slice(0, -1).join('');
    else if (key.kind === 'escape') this.#interrupt();
    else if (key.kind === 'end' && this.#draft === '') this.#exit(0);
    else if ((key.kind === 'enter' || key.kind === 'newline') && this.#draft.trim() !== '') this.#enter();
    if (this.#draft === '') this.#collapsed = '';
  }

  #paste(text: string): void {
    const isLong = this.#draft === '' && text.length > this.#manners.collapse;
    if (isLong) this.#collapsed = `[Pasted text #${++this.#pasteCount} +${text.split('\n').length} lines]`;
    this.#draft += text;
    this.#pastedAtMs = performance.now();
  }

  #enter(): void {
    if (performance.now() - this.#pastedAtMs < this.#manners.pasteEnterMs) {
      this.#draft += '\n';
      return;
    }
    if (this.#manners.firstEnter === 'lost') {
      this.#isEnterLost = !this.#isEnterLost;
      if (this.#isEnterLost) return;
    }
    const text = this.#draft;
    this.#draft = '';
    this.#submit(text);
  }

  #onDialogKey(key: Key, dialog: Dialog): void {
    const count = dialog.options.length;
    if (key.kind === 'up') this.#selected = (this.#selected + count - 1) % count;
    else if (key.kind === 'down') this.#selected = (this.#selected + 1) % count;
    else if (key.kind === 'enter') this.#answer(dialog, dialog.options[this.#selected]);
    else if (key.kind === 'escape') this.#answer(dialog, undefined);
    else if (key.kind === 'text') {
      const option = dialog.options[Number(key.text) - 1];
      if (option !== undefined) this.#answer(dialog, option);
    }
  }

  #answer(dialog: Dialog, option: string | undefined): void {
    this.#dialog = undefined;
    log({ answer: option ?? null });
    dialog.answered(option);
    this.#next();
  }

  #interruptOrExit(wasArmed: boolean): void {
    if (this.#draft !== '') this.#draft = '';
    else if (this.#dialog) this.#answer(this.#dialog, undefined);
    else if (this.#work) this.#interrupt();
    else if (wasArmed) this.#exit(0);
    else this.#isExitArmed = true;
  }

  #interrupt(): void {
    if (!this.#work && !this.#isLooping) return;
    clearInterval(this.#ticker);
    this.#work = undefined;
    this.#isLooping = false;
    log({ interrupted: true });
    this.#screen.print('■ Interrupted');
    this.#next();
  }

  #submit(text: string): void {
    log({ text });
    tellHook(this.#manners.hook, text);
    if (text === '/exit') this.#exit(0);
    else if (this.#work) this.#queue.push(text);
    else this.#run(text);
  }

  #next(): void {
    const text = this.#work || this.#dialog ? undefined : this.#queue.shift();
    if (text !== undefined) this.#run(text);
    this.#show();
  }

  #run(text: string): void {
    this.#error = '';
    this.#isLooping = false;
    clearInterval(this.#ticker);
    this.#screen.print(
      text
        .split('\n')
        .map((line, index) => (index === 0 ? '» ' : '  ') + line)
        .join('\n'),
    );
    const [word = '', argument = ''] = text.trim().split(/\s+/);
    const command = this.#commands[word.toLowerCase()];
    if (command && text.trim().split(/\s+/).length <= 2) command(argument);
    else {
      this.#screen.print(`● You said: ${text}`);
      this.#begin(this.#manners.workMs / 1000, () => this.#screen.print('● I looked at it and changed nothing.'));
    }
  }

  readonly #commands: Readonly<Record<string, (argument: string) => void>> = {
    help: () => this.#screen.print(HELP),
    work: (seconds) => this.#begin(number(seconds, 5), () => this.#screen.print('● Done.')),
    quiet: (seconds) => this.#begin(number(seconds, Infinity), () => this.#screen.print('● Done.'), true),
    ask: () => this.#ask(),
    approve: () => this.#approve(),
    fail: () => (this.#error = '■ Error: the demo was told to fail'),
    crash: (code) => this.#begin(1, () => this.#exit(number(code, 1))), // not before it is seen that it took the prompt
    loop: () => this.#loop(),
    flood: () => this.#screen.print(Array.from({ length: 1000 }, (_, index) => `line ${index + 1} of 1000`).join('\n')),
    child: (how) => this.#startChild(how === 'detached'),
    'ignore-term': () => {
      this.#isIgnoringSignals = true;
      for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
      this.#screen.print('● From now on HUP and TERM are ignored.');
    },
  };

  #begin(seconds: number, done: () => void, isQuiet = false): void {
    this.#work = { seconds, isQuiet, done };
    this.#workedSeconds = 0;
    const finish = (): void => {
      clearInterval(this.#ticker);
      this.#work = undefined;
      done();
      this.#next();
    };
    if (seconds < 1) this.#ticker = setTimeout(finish, seconds * 1000);
    else {
      this.#ticker = setInterval(() => {
        this.#workedSeconds += 1;
        if (this.#workedSeconds >= seconds) return finish();
        if (!isQuiet) this.#screen.print(`  ${PROGRESS[(this.#workedSeconds - 1) % PROGRESS.length] ?? ''}`);
        if (!isQuiet) this.#show();
      }, 1000);
    }
  }

  #loop(): void {
    this.#begin(4, () => {
      this.#screen.print('● Done, resting.');
      this.#isLooping = true;
      this.#ticker = setTimeout(() => {
        this.#loop();
        this.#show();
      }, 3000);
    });
    this.#isLooping = true;
  }

  #ask(): void {
    this.#open({
      title: '? Which database should it use?',
      lines: [],
      options: ['SQLite', 'PostgreSQL', 'Whatever is simplest'],
      hint: 'Enter to select · Esc to cancel',
      answered: (option) =>
        this.#screen.print(option === undefined ? '● Question cancelled.' : `● You chose: ${option}`),
    });
  }

  #askTrust(): void {
    this.#open({
      title: '? Do you trust the files in this folder?',
      lines: [],
      options: ['Yes', 'No'],
      hint: 'Enter to select · Esc to cancel',
      answered: (option) => (option === 'Yes' ? undefined : this.#exit(1)),
    });
  }

  #approve(): void {
    this.#open({
      title: 'Allow this command?',
      lines: ['  rm -r build'],
      options: ['Yes', 'No'],
      hint: 'Enter to confirm · Esc to cancel',
      answered: (option) =>
        this.#screen.print(option === 'Yes' ? '● Allowed. (Nothing was run: this is a demo.)' : '● Denied.'),
    });
  }

  #open(dialog: Dialog): void {
    this.#dialog = dialog;
    this.#selected = 0;
  }

  /** A child that lives for a day: in our process group, or in a session of its own like a tool that was started with setsid. */
  #startChild(detached: boolean): void {
    const child = spawn('sleep', ['86400'], { stdio: 'ignore', detached });
    child.on('error', (error) => this.#screen.print(`■ Child: ${error.message}`));
    this.#screen.print(`● Child process ${child.pid ?? 'unknown'} started.`);
  }

  #show(): void {
    if (this.#dialog) return this.#showDialog(this.#dialog);
    const box = printableDraft(this.#collapsed === '' ? this.#draft : this.#collapsed);
    if (this.#work) {
      const clock = this.#work.isQuiet ? '' : `${this.#workedSeconds}s · `;
      const hint = (this.#queue.length > 0 ? `  ${this.#queue.length} queued · ` : '  ') + 'esc to interrupt';
      const status = `• Working (${clock}esc to interrupt)`;
      return this.#screen.show({ status, box, hint, isTyping: true }, 'demo · working');
    }
    const hint = this.#isExitArmed ? '  ctrl-c again to exit' : '  enter to send · /exit to quit';
    const title = this.#error ? 'demo · error' : 'demo · idle';
    this.#screen.show({ status: this.#error, box, hint, isTyping: true }, title);
  }

  #showDialog({ title, lines, options, hint }: Dialog): void {
    const rows = options.map((option, index) => `${index === this.#selected ? '❯' : ' '} ${index + 1}. ${option}`);
    const state = title.startsWith('?') ? 'needs input' : 'needs approval';
    const box = [title, ...lines, ...rows];
    this.#screen.show({ status: '', box, hint: `  ${hint}`, isTyping: false }, `demo · ${state}`);
  }

  #exit(code: number): void {
    this.#screen.close();
    process.exit(code);
  }
}

function printableDraft(draft: string): string[] {
  return draft.split('\n').map((line, index) => (index === 0 ? '› ' : '  ') + printable(line));
}

function number(text: string, otherwise: number): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : otherwise;
}

/** See the head of this file. */
interface Manners {
  readonly redrawMs: number;
  readonly pasteEnterMs: number;
  readonly firstEnter: string;
  /** Infinity: never. */
  readonly collapse: number;
  readonly dialog: string;
  readonly takesPaste: boolean;
  readonly workMs: number;
  readonly hook: readonly string[];
}

function readManners(env: Readonly<Record<string, string | undefined>>): Manners {
  return {
    redrawMs: number(env.DEMO_REDRAW_MS ?? '', 0),
    pasteEnterMs: number(env.DEMO_PASTE_ENTER_MS ?? '', 0),
    firstEnter: env.DEMO_FIRST_ENTER ?? '',
    collapse: number(env.DEMO_COLLAPSE ?? '', Infinity),
    dialog: env.DEMO_DIALOG ?? '',
    takesPaste: env.DEMO_PASTE !== 'plain',
    workMs: number(env.DEMO_WORK_MS ?? '', 2000),
    hook: env.DEMO_HOOK ? (JSON.parse(env.DEMO_HOOK) as string[]) : [], // told by who starts the demo
  };
}

/** As real programs do: a command of its own, told on its standard input. */
function tellHook([program, ...args]: readonly string[], prompt: string): void {
  if (program === undefined) return;
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] });
  child.on('error', () => undefined); // a hook that cannot run changes nothing for the program
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify({ hook_event_name: 'UserPromptSubmit', prompt }));
}

function log(
  entry: { readonly text: string } | { readonly answer: string | null } | { readonly interrupted: true },
): void {
  const file = process.env.DEMO_LOG;
  if (file) appendFileSync(file, JSON.stringify({ at: Date.now(), ...entry }) + '\n', { mode: 0o600 });
}

function main(): void {
  let agent: DemoAgent | undefined;
  const keys = new KeyReader((key) => agent?.onKey(key));
  if (process.stdin.isTTY) process.stdin.setRawMode(true);
  process.stdin.on('data', (bytes: Buffer) => keys.feed(bytes));
  process.stdin.on('end', () => agent?.onInputEnd());
  process.stdin.on('error', () => agent?.onInputEnd());
  const begin = (): void => {
    agent = new DemoAgent();
    agent.start();
  };
  const delayMs = number(process.env.DEMO_STARTUP_MS ?? '', 0);
  if (delayMs === 0) return begin();
  process.stdout.write('demo agent · starting…\r\n');
  setTimeout(begin, delayMs);
}

main();
