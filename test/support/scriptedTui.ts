import type { AgentId } from '../../src/core/agents/agent';
import type { AgentKey } from '../../src/core/agents/agentHost';
import type { Clock } from '../../src/core/base/clock';
import type { FakeAgentHost } from './fakeAgentHost';

const RULE = '─'.repeat(60);

/** How a {@link ScriptedTui} misbehaves. */
export interface TuiManners {
  /** From input to the screen that shows it. */
  redrawMs?: number;
  /** So many submit keys do nothing. */
  swallowedEnters?: number;
  swallowsPaste?: boolean;
  /** Long pastes are shown as one line in brackets. */
  collapses?: boolean;
  /** What is in the box besides, after a paste: somebody typed at the same time. */
  typedBeside?: string;
  isBusyAfterSubmit?: boolean;
  /** So long it reads no key, then every one that has come, each for the same draft; and its host knows how long it has put out nothing. */
  stallMs?: number;
}

/** The demo agent's screen on a FakeAgentHost: what is pasted becomes a draft, Enter submits it. */
export class ScriptedTui {
  readonly submitted: string[] = [];
  readonly answered: string[] = [];
  /** Everything that reached it, in order: `paste`, `Enter`. */
  readonly events: { readonly what: string; readonly atMs: number }[] = [];
  draft = '';
  dialog = false;
  isBusy = false;
  isHidden = false;
  #drawnAtMs = 0;
  #unread = 0;

  constructor(
    private readonly host: FakeAgentHost,
    private readonly id: AgentId,
    private readonly clock: Clock,
    readonly manners: TuiManners = {},
  ) {
    const paste = host.paste.bind(host);
    const press = host.press.bind(host);
    const pressIf = host.pressIf.bind(host);
    host.paste = async (agentId, text) => {
      await paste(agentId, text);
      if (agentId === id) this.#onPaste(text);
    };
    if (manners.stallMs !== undefined) {
      const capture = host.capture.bind(host);
      host.capture = async (agentId) => ({
        ...(await capture(agentId)),
        quietMs: clock.monotonicMs() - this.#drawnAtMs,
      });
    }
    host.press = async (agentId, keys) => {
      await press(agentId, keys);
      if (agentId === id) this.#onKeys(keys);
    };
    host.pressIf = async (agentId, keys, isExpected) => {
      const isPressed = await pressIf(agentId, keys, isExpected);
      if (isPressed && agentId === id) this.#onKeys(keys);
      return isPressed;
    };
  }

  /** Draws what it has now and tells that the screen has settled. */
  show(): void {
    this.#drawnAtMs = this.clock.monotonicMs();
    this.host.simulateScreen(this.id, { text: this.#text(), isInCopyMode: false });
  }

  /** Draws without any event. */
  draw(): void {
    this.host.setScreen(this.id, { text: this.#text() });
  }

  #onPaste(text: string): void {
    this.events.push({ what: 'paste', atMs: this.clock.monotonicMs() });
    if (this.manners.swallowsPaste) return;
    if (!this.dialog) this.draft += text + (this.manners.typedBeside ?? '');
    this.#redraw();
  }

  #onKeys(keys: readonly AgentKey[]): void {
    if (!keys.includes('Enter')) return;
    this.events.push({ what: 'Enter', atMs: this.clock.monotonicMs() });
    if (this.dialog) return void this.answered.push('Enter');
    if ((this.manners.swallowedEnters ?? 0) > 0) {
      this.manners.swallowedEnters = (this.manners.swallowedEnters ?? 0) - 1;
      return;
    }
    const { stallMs } = this.manners;
    if (stallMs === undefined) return this.#submit(1);
    this.#unread += 1;
    if (this.#unread === 1) this.clock.setTimer(stallMs, () => this.#submit(this.#unread));
  }

  #submit(times: number): void {
    this.#unread = 0;
    if (this.draft !== '') this.submitted.push(...Array.from({ length: times }, () => this.draft));
    this.draft = '';
    this.isBusy = this.manners.isBusyAfterSubmit ?? false;
    this.#redraw();
  }

  #redraw(): void {
    const { redrawMs = 10 } = this.manners;
    this.clock.setTimer(redrawMs, () => this.show());
  }

  #text(): string {
    if (this.isHidden) return 'a transcript\n\nnothing else';
    if (this.dialog)
      return `${RULE}\nAllow this command?\n  rm -r build\n❯ 1. Yes\n  2. No\n${RULE}\n  Enter to confirm · Esc to cancel`;
    const isCollapsed = this.manners.collapses === true && this.draft.length > 800;
    const shown = isCollapsed ? `[Pasted text #1 +${this.draft.split('\n').length} lines]` : this.draft;
    const box = shown
      .split('\n')
      .map((line, index) => (index === 0 ? '› ' : '  ') + line)
      .join('\n');
    const status = this.isBusy ? '• Working (3s · esc to interrupt)' : '';
    return `demo agent\n${status}\n${RULE}\n${box}\n${RULE}\n  enter to send · /exit to quit`;
  }
}
