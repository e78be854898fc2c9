import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../base/clock';
import { type Disposable, MutableDisposable } from '../../../base/disposable';
import { ignore, type Logger } from '../../../base/log';
import type { TokenFiles, Tokens } from '../authPorts';
import { TOKEN_LIFE_MS } from '../tokenManager';
import { readPrivateFile, writePrivateFile } from './keyFile';

/** Rewritten after two thirds of its life, so that a slow machine never lets it run out. */
const REWRITE_MS = (TOKEN_LIFE_MS * 2) / 3;
/** How often is looked whether one is due, by the wall clock: a timer of ten minutes would sleep with a suspended machine, the token would not. */
const LOOK_MS = 15_000;

interface Kept {
  readonly generation: number;
  /** Epoch ms of the last success; 0: not written yet, or the last attempt failed. */
  writtenAtMs: number;
  /** Of the token in the file, once we have written one. */
  jti: string | undefined;
  /** Writes and removals of one agent come one after the other. */
  turn: Promise<void>;
  isOver: boolean;
  /** Resolves `ready`. */
  settle: () => void;
  /** The file was written, or is not wanted any more. */
  readonly ready: Promise<void>;
}

export interface TokenFileKeeperOptions {
  /** 0700, in the data folder, which a logout leaves; made when it is missing. */
  readonly folder: string;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One 0600 file per living agent and generation, read by its hooks at each call. */
export class TokenFileKeeper implements TokenFiles {
  readonly #timer = new MutableDisposable<Disposable>();
  readonly #kept = new Map<string, Kept>();
  #isDisposed = false;

  constructor(private readonly options: TokenFileKeeperOptions) {
    this.#arm();
  }

  async provide(agentId: string, generation: number): Promise<void> {
    const present = this.#kept.get(agentId);
    if (present?.generation === generation) return present.ready;
    if (present) await this.remove(agentId, present.generation);
    const kept = newKept(generation);
    this.#kept.set(agentId, kept);
    kept.turn = this.#write(agentId, kept);
    return kept.ready;
  }

  async remove(agentId: string, generation: number): Promise<void> {
    this.options.tokens.revoke(agentId, generation);
    const kept = this.#kept.get(agentId);
    if (kept && kept.generation <= generation) {
      end(kept);
      this.#kept.delete(agentId);
      await kept.turn;
    }
    await rm(this.#path(agentId, generation), { force: true });
  }

  /** Stops rewriting. The files stay: whoever owns the workspace next replaces them. */
  dispose(): void {
    this.#isDisposed = true;
    for (const kept of this.#kept.values()) end(kept);
    this.#kept.clear();
    this.#timer.dispose();
  }

  #arm(): void {
    if (this.#isDisposed) return;
    this.#timer.value = this.options.clock.setTimer(LOOK_MS, () => {
      for (const [agentId, kept] of this.#kept) {
        const ageMs = this.options.clock.nowMs() - kept.writtenAtMs;
        if (ageMs >= REWRITE_MS || ageMs < 0) void this.#rewrite(agentId, kept);
      }
      this.#arm();
    });
  }

  #rewrite(agentId: string, kept: Kept): Promise<void> {
    kept.turn = kept.turn.then(() => this.#write(agentId, kept));
    return kept.turn;
  }

  /** Never rejects: a full disk or a vanished folder is tried again at the next look. */
  async #write(agentId: string, kept: Kept): Promise<void> {
    if (kept.isOver) return;
    const { tokens, clock, log } = this.options;
    const nowMs = clock.nowMs();
    try {
      const replaced = kept.jti ?? (await this.#idOnDisk(agentId, kept.generation));
      const token = tokens.issue({ sub: agentId, generation: kept.generation });
      const { jti } = tokens.verify(token);
      await writePrivateFile(this.#path(agentId, kept.generation), token);
      kept.writtenAtMs = nowMs;
      kept.jti = jti;
      if (replaced !== undefined) tokens.revokeId(replaced);
      kept.settle();
    } catch (error) {
      kept.writtenAtMs = 0;
      log.warn('the token of an agent could not be written; its hooks are not heard until it is', {
        agent: agentId,
        error,
      });
    }
  }

  /** Of the token that an earlier owner left in the file, when it still counts and is this agent's: whoever can write the file must not end others'. */
  async #idOnDisk(agentId: string, generation: number): Promise<string | undefined> {
    const path = this.#path(agentId, generation);
    try {
      const token = (await readPrivateFile(path))?.trim();
      const claims = token === undefined ? undefined : this.options.tokens.verify(token);
      return claims?.sub === agentId && claims.generation === generation ? claims.jti : undefined;
    } catch (error) {
      ignore(this.options.log, error, 'what is in the file does not count, so it need not be revoked');
      return undefined;
    }
  }

  #path(agentId: string, generation: number): string {
    return join(this.options.folder, `${agentId}.${generation}.jwt`);
  }
}

function newKept(generation: number): Kept {
  let settle = (): void => undefined;
  const ready = new Promise<void>((resolve) => (settle = resolve));
  return { generation, writtenAtMs: 0, jti: undefined, turn: Promise.resolve(), isOver: false, settle, ready };
}

function end(kept: Kept): void {
  kept.isOver = true;
  kept.settle();
}
