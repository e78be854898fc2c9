import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/eventually';
import type { ModelServer } from '../modelServer';
import type { CliTerminal, Shown } from '../cliTerminal';
import type { ExpectedReading } from '../recordedScreens';
import type { Dialect } from './scene';

export type Sink = (name: string, shown: Shown, expected: ExpectedReading) => void;

const READY_TIMEOUT_MS = 120_000;
const QUIET_MS = 450;

/** Leads one program through a scene. */
export class Director {
  constructor(
    readonly terminal: CliTerminal,
    readonly dialect: Dialect,
    private readonly workspace: string,
    /** Undefined when the program is given no model. */
    private readonly model: ModelServer | undefined,
    private readonly sink: Sink,
  ) {}

  /** A file in the folder that it works in. */
  write(name: string, content: string): void {
    writeFileSync(join(this.workspace, name), content);
  }

  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, delayMs));
  }

  async keys(...keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      await this.terminal.keys(key);
      await this.pause(120);
    }
  }

  async type(text: string): Promise<void> {
    await this.#drawn(() => this.terminal.type(text));
  }

  async paste(text: string): Promise<void> {
    await this.#drawn(() => this.terminal.paste(text));
  }

  /** Sends a prompt as a person does; resolves when the model has it. */
  async ask(prompt: string): Promise<void> {
    const turnCount = this.#turnCount;
    await this.paste(prompt.replaceAll('{workspace}', this.workspace));
    await this.keys('Enter');
    if (this.model)
      await eventually(`a request for ${prompt}`, () => this.#turnCount > turnCount, { timeoutMs: 60_000 });
    else await this.until(this.dialect.working);
    await this.pause(300);
  }

  async until(pattern: RegExp, timeoutMs = 45_000): Promise<void> {
    await eventually(`a screen with ${pattern}`, async () => pattern.test(await this.#text()), {
      timeoutMs,
      everyMs: 60,
    }).catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${await this.#text()}`);
    });
  }

  /** Waits until it has not worked for a while and the screen stands still. */
  async finished(timeoutMs = 40_000): Promise<void> {
    let quietSinceMs = performance.now();
    await eventually(
      'the end of the turn',
      async () => {
        if (await this.isWorking()) quietSinceMs = performance.now();
        return performance.now() - quietSinceMs > 900;
      },
      { timeoutMs, everyMs: 100 },
    );
    await this.settled();
  }

  async isWorking(): Promise<boolean> {
    return this.dialect.working.test(await this.#text());
  }

  async ready(): Promise<void> {
    await this.until(this.dialect.ready, READY_TIMEOUT_MS);
    await this.settled();
  }

  async clear(): Promise<void> {
    await this.keys(...this.dialect.clear);
    await this.pause(400);
  }

  /** Waits for the screen to stand still, at most 3 s. */
  async settled(): Promise<void> {
    const endMs = performance.now() + 3000;
    let last = '';
    let sinceMs = performance.now();
    while (performance.now() < endMs) {
      const now = await this.#text();
      if (now !== last) {
        last = now;
        sinceMs = performance.now();
      }
      if (performance.now() - sinceMs > QUIET_MS) return;
      await this.pause(70);
    }
  }

  /** Records a screen that stands still. */
  async take(name: string, expected: ExpectedReading): Promise<void> {
    await this.settled();
    await this.snap(name, expected);
  }

  /** Records the screen of this instant. */
  async snap(name: string, expected: ExpectedReading): Promise<void> {
    this.sink(name, await this.terminal.look(), expected);
  }

  get #turnCount(): number {
    return this.model?.requests.filter(({ kind }) => kind === 'turn').length ?? 0;
  }

  /** Does something that the program draws, and waits for that: a busy machine is slow. */
  async #drawn(act: () => Promise<void>): Promise<void> {
    const before = await this.#text();
    await act();
    await eventually('something is drawn', async () => (await this.#text()) !== before, { timeoutMs: 15_000 });
    await this.pause(400);
  }

  async #text(): Promise<string> {
    return (await this.terminal.look()).lines.join('\n');
  }
}
