import type { EngineLine, Json } from './engineLine';

/** 1 s: how often is looked, while a question is open, whether another engine has to be told of it. */
const LOOK_MS = 1_000;

interface Open {
  readonly event: string;
  readonly payload: Json;
  /** The engine that was told last, by {@link EngineLine.owner}. */
  owner: string | undefined;
  /** Ends the telling that is under way. */
  telling: AbortController | undefined;
  /** No engine has it: it is told again at the next look. */
  isDue: boolean;
}

/**
 * The questions that a program has open. Each is told to the engine, and to every engine that takes over while it is open; an answer
 * from outside is handed on. Costs nothing while none is open.
 */
export class OpenQuestions {
  readonly #open = new Map<string, Open>();
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly line: Pick<EngineLine, 'ask' | 'owner'>,
    /** What a person decided, as the engine gives it. Never rejects. */
    private readonly onAnswer: (id: string, output: string) => void,
  ) {}

  asked(id: string, event: string, payload: Json): void {
    this.closed(id);
    const open: Open = { event, payload, owner: undefined, telling: undefined, isDue: false };
    this.#open.set(id, open);
    this.#tell(id, open);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** It was answered, by whomever. The engine shows one question at a time: those that are still open are told again. */
  closed(id: string): void {
    const open = this.#open.get(id);
    if (!open) return;
    this.#open.delete(id);
    open.telling?.abort();
    for (const [other, { telling }] of this.#open) if (!telling) this.#again(other);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** The turn that asked is over: whatever it asked is, too. */
  closedOf(sessionId: unknown): void {
    for (const [id, { payload }] of [...this.#open]) if (payload['sessionID'] === sessionId) this.closed(id);
  }

  #look(): void {
    const { owner } = this.line;
    for (const [id, open] of this.#open) if (open.isDue || open.owner !== owner) this.#again(id);
  }

  #again(id: string): void {
    const open = this.#open.get(id);
    if (!open) return;
    open.telling?.abort();
    this.#tell(id, open);
  }

  #tell(id: string, open: Open): void {
    const telling = new AbortController();
    Object.assign(open, { telling, owner: this.line.owner, isDue: false });
    void this.line.ask(open.event, open.payload, telling.signal).then((outcome) => {
      if (this.#open.get(id)?.telling !== telling) return;
      open.telling = undefined;
      if (outcome === 'notTaken') open.isDue = true;
      else if (outcome.output !== undefined) this.onAnswer(id, outcome.output);
    });
  }
}
