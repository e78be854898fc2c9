import type { Receipt } from './engineAnswers';
import type { EngineClient } from './engineClient';
import { CliError, ExitCode } from './exitCodes';

/** Notification of the gateway after `watch`: what is read of it here. */
interface Change {
  readonly kind?: unknown;
  readonly receipt?: Receipt;
  readonly agentId?: unknown;
  readonly view?: unknown;
}

/** What the engine tells of prompts, as it happens. Begun before a prompt is sent, so that no step is missed. */
export class ReceiptNews {
  readonly #newest = new Map<string, Receipt>();
  readonly #removedAgents = new Set<string>();
  #end: CliError | undefined;
  #wake: () => void = () => undefined;

  private constructor() {}

  /** @throws {CliError} */
  static async begin(engine: EngineClient): Promise<ReceiptNews> {
    const news = new ReceiptNews();
    engine.listen({
      onNotice: (method, params) => method === 'changed' && news.#take(params as Change), // fields are checked there
      onEnd: (error) => {
        news.#end = error;
        news.#wake();
      },
    });
    await engine.call('watch', {});
    return news;
  }

  /** Undefined until the engine told of it. */
  newest(receiptId: string): Receipt | undefined {
    return this.#newest.get(receiptId);
  }

  /**
   * Resolves once there is news, of whatever; false: none came within `timeoutMs` (undefined: as long as it takes).
   * @throws {CliError} DeliveryUnknown – its agent was removed; what ended the connection
   */
  async next({ agentId }: Receipt, timeoutMs: number | undefined): Promise<boolean> {
    if (this.#removedAgents.has(agentId))
      throw new CliError(
        ExitCode.DeliveryUnknown,
        'the receipt is gone: the agent was removed',
        'Whether the prompt arrived is not known.',
      );
    if (this.#end) throw this.#end;
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(() => resolve(false), Math.max(0, timeoutMs));
      this.#wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  #take({ kind, receipt, agentId, view }: Change): void {
    if (kind === 'receipt' && typeof receipt?.id === 'string') this.#newest.set(receipt.id, receipt);
    else if (kind === 'agent' && view === null && typeof agentId === 'string') this.#removedAgents.add(agentId);
    else return;
    this.#wake();
  }
}
