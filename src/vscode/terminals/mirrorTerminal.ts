import * as vscode from 'vscode';
import type { AgentId } from '../../core/agents/agent';
import { DisposableStore } from '../../core/base/disposable';
import { describeError } from '../../core/base/errors';
import type { Logger } from '../../core/base/log';
import type { Engine } from '../../core/engine';
import { messageForCode } from '../errorMessages';
import { TmuxError } from '../../core/tmux/tmuxErrors';
import { isOnlyLooking } from '../commands/control';
import { attachmentOf } from './attachment';
import { isTerminalReply, openTmuxMirror } from './tmuxMirror';

const HINT = '\r\n\x1b[7m Read-only mirror: keys are not sent. Attach to the agent to type. \x1b[0m\r\n';

/**
 * A live picture of an agent's terminal that takes no input and never resizes the agent. tmux draws it when node-pty
 * can be loaded; else the raw output is shown in the agent's own size.
 */
export class MirrorTerminal implements vscode.Pseudoterminal {
  readonly #store = new DisposableStore();
  readonly #write = this.#store.add(new vscode.EventEmitter<string>());
  readonly #dimensions = this.#store.add(new vscode.EventEmitter<vscode.TerminalDimensions | undefined>());
  readonly #closed = this.#store.add(new vscode.EventEmitter<number>());
  readonly onDidWrite = this.#write.event;
  readonly onDidOverrideDimensions = this.#dimensions.event;
  readonly onDidClose = this.#closed.event;
  #resize: ((dimensions: vscode.TerminalDimensions) => void) | undefined;
  #latest: vscode.TerminalDimensions = { columns: 80, rows: 24 };
  #isHintShown = false;

  constructor(
    private readonly engine: Engine,
    private readonly id: AgentId,
    private readonly log: Logger,
  ) {}

  open(initial: vscode.TerminalDimensions | undefined): void {
    if (initial) this.#latest = initial;
    this.#start().catch((error: unknown) => {
      this.log.warn('mirror failed', { agent: this.id, error: describeError(error) });
      const isUnsized = TmuxError.is(error, 'tmux.wouldResize');
      this.#end(isUnsized ? messageForCode('tmux.wouldResize').text : 'The mirror could not be opened.');
    });
  }

  /** The size of this picture only: the agent keeps its own. */
  setDimensions(dimensions: vscode.TerminalDimensions): void {
    this.#latest = dimensions;
    this.#resize?.(dimensions);
  }

  handleInput(data: string): void {
    if (this.#isHintShown || isTerminalReply(data)) return;
    this.#isHintShown = true;
    this.#write.fire(HINT);
  }

  close(): void {
    this.#store.dispose();
  }

  async #start(): Promise<void> {
    const mirror = await openTmuxMirror(await attachmentOf(this.engine, this.id), this.#latest, this.log, {
      onData: (data) => this.#write.fire(data),
      onEnd: () => this.#end('The agent’s terminal has ended.'),
    });
    if (this.#store.isDisposed) {
      mirror?.dispose();
      return;
    }
    if (!mirror) return this.#followOutput();
    this.#store.add(mirror);
    this.#resize = (dimensions) => mirror.resize(dimensions);
    mirror.resize(this.#latest);
  }

  /** Without node-pty: the agent's own bytes, in a picture of the agent's own size. */
  #followOutput(): void {
    if (isOnlyLooking(this.engine.status))
      return this.#end('A live picture needs node-pty in a window that only looks; it cannot be loaded here.');
    const subscription = this.engine.mirror(this.id, {
      onData: (data) => this.#write.fire(data),
      onSize: (columns, rows) => this.#dimensions.fire({ columns, rows }),
      onEnd: () => this.#end('The agent’s terminal has ended.'),
    });
    this.#store.add(subscription);
  }

  #end(text: string): void {
    if (this.#store.isDisposed) return;
    this.#write.fire(`\r\n\x1b[7m ${text} \x1b[0m\r\n`);
    this.#closed.fire(0);
  }
}
