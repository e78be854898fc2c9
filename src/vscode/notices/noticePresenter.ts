import type { Clock } from '../../core/base/clock';
import { type Disposable, DisposableStore } from '../../core/base/disposable';
import {
  DAMAGED_RECORDS,
  type Engine,
  type NoticeChange,
  STORE_BLOCKED,
  STORE_DAMAGED,
  STORE_FINDINGS,
  STORE_LOSS,
  STORE_QUARANTINED,
  STORE_RESTORED,
  TMUX_ENDED,
} from '../../core/engine';
import { AlertLevel, type AlertNotice } from '../../core/monitoring/alertSink';
import type { MessageSeverity } from '../errorMessages';
import { CommandId } from '../manifest';
import { NotificationLevel } from '../settings';
import { MergeTimer } from './mergeTimer';
import type { Memory, WindowPort } from './windowPort';

export const MUTED_KEY = 'coreOrchestrator.mutedNotices';
const GO_TO_AGENT = 'Go to Agent';
const RELEASE = 'Release';
/** Kind of the notices about agents that wait to be released. */
const QUARANTINED = 'agent.quarantined';
const CONTINUE = 'Continue…';
const RESTORE = 'Restore from Backup…';
const CHECK = 'Check…';
const SHOW_LOG = 'Show Log';
const CHECK_SETUP = 'Check Setup';
const MUTE = "Don't Show Again";

/**
 * Shows the engine's notices: one message per kind (the fingerprint up to the first colon), when the person looks at this
 * window. What is over before it was shown is not shown.
 */
export class NoticePresenter implements Disposable {
  readonly #store = new DisposableStore();
  readonly #timer: MergeTimer;
  readonly #waiting = new Map<string, AlertNotice>();

  constructor(
    private readonly engine: Engine,
    clock: Clock,
    private readonly window: WindowPort,
    private readonly memory: Memory,
    private readonly level: () => NotificationLevel,
  ) {
    this.#timer = this.#store.add(new MergeTimer(clock, () => this.#showAll()));
    this.#store.add(engine.onDidChangeNotices((change) => this.#onNotice(change)));
    this.#store.add(window.onDidFocus(() => this.#schedule()));
    for (const notice of engine.notices) this.#onNotice({ kind: 'raised', notice });
  }

  dispose(): void {
    this.#store.dispose();
    this.#waiting.clear();
  }

  #onNotice({ kind, notice }: NoticeChange): void {
    if (kind === 'resolved') this.#waiting.delete(notice.fingerprint);
    else if (this.#isWanted(notice)) this.#waiting.set(notice.fingerprint, notice);
    this.#schedule();
  }

  /** Critical notices (the store, the ownership) are always shown, also when their kind was muted once: work could be lost. */
  #isWanted(notice: AlertNotice): boolean {
    if (notice.level === AlertLevel.Critical || kindOf(notice) === STORE_RESTORED) return true; // a person waits for the latter
    if (mutedKinds(this.memory).includes(kindOf(notice))) return false;
    if (this.level() === NotificationLevel.None) return false;
    return notice.level !== AlertLevel.Info || this.level() === NotificationLevel.All;
  }

  #schedule(): void {
    if (this.#waiting.size === 0 || !this.window.isFocused) return;
    this.#timer.news();
  }

  #showAll(): void {
    if (!this.window.isFocused) return; // waits for the focus
    const kinds = new Map<string, AlertNotice[]>();
    for (const notice of this.#waiting.values())
      kinds.set(kindOf(notice), [...(kinds.get(kindOf(notice)) ?? []), notice]);
    this.#waiting.clear();
    for (const [kind, notices] of kinds) void this.#show(kind, notices);
  }

  async #show(kind: string, notices: readonly AlertNotice[]): Promise<void> {
    const [first] = notices;
    if (!first) return;
    const answer = await this.window.show(severityOf(first), noticeText(notices), buttonsOf(kind, notices));
    if (this.#store.isDisposed) return;
    if (answer === RELEASE) this.#release(notices);
    if (answer === CONTINUE) this.window.run(CommandId.AcceptStoreLoss);
    if (answer === RESTORE) this.window.run(CommandId.Restore);
    if (answer === CHECK) this.window.run(CommandId.CheckIntegrity);
    if (answer === SHOW_LOG) this.window.run(CommandId.ShowLog);
    if (answer === CHECK_SETUP) this.window.run(CommandId.CheckSetup);
    if (answer === MUTE) this.memory.set(MUTED_KEY, [...mutedKinds(this.memory), kind]);
    if (answer === GO_TO_AGENT) {
      if (notices.length === 1 && first.agentId !== undefined) this.window.run(CommandId.AttachAgent, first.agentId);
      else this.window.run(CommandId.GoToAgent);
    }
  }

  /** One is released at once, of several the person chooses; none that is not in quarantine any more. */
  #release(notices: readonly AlertNotice[]): void {
    const isWaiting = ({ agentId = '' }: AlertNotice): boolean =>
      this.engine.agent(agentId)?.lifecycle === 'quarantined';
    const [first, ...others] = notices.filter(isWaiting);
    if (first) this.window.run(CommandId.ReleaseQuarantine, ...(others.length === 0 ? [first.agentId] : []));
    else void this.window.show('information', 'It is not in quarantine any more: its row says what it does.', []);
  }
}

function buttonsOf(kind: string, notices: readonly AlertNotice[]): readonly string[] {
  if (kind === STORE_LOSS) return [CONTINUE, RESTORE, CHECK_SETUP, SHOW_LOG];
  if (kind === STORE_QUARANTINED) return [RESTORE, CONTINUE, SHOW_LOG];
  if (kind === DAMAGED_RECORDS || kind === STORE_DAMAGED) return [RESTORE, CHECK, SHOW_LOG];
  if (kind === STORE_FINDINGS) return [CHECK, SHOW_LOG];
  if (kind === STORE_BLOCKED) return [RESTORE, CHECK_SETUP, SHOW_LOG];
  if (kind === STORE_RESTORED) return [SHOW_LOG]; // which files it was
  if (kind === TMUX_ENDED) return [GO_TO_AGENT, SHOW_LOG, MUTE];
  const isAboutAgent = notices.some(({ agentId }) => agentId !== undefined);
  const isCritical = notices.some(({ level }) => level === AlertLevel.Critical);
  return [
    isAboutAgent ? GO_TO_AGENT : CHECK_SETUP,
    kind === QUARANTINED ? RELEASE : SHOW_LOG,
    ...(isCritical ? [] : [MUTE]),
  ];
}

function mutedKinds(memory: Memory): readonly string[] {
  const stored = memory.get(MUTED_KEY);
  return Array.isArray(stored) ? stored.filter((kind): kind is string => typeof kind === 'string') : [];
}

/** Shows every kind again from its next notice on. Returns what to tell the person. */
export function resetMutedNotices(memory: Memory): string {
  const count = mutedKinds(memory).length;
  memory.set(MUTED_KEY, undefined);
  if (count === 0) return 'No notices were muted.';
  return count === 1 ? 'One kind of notice is shown again.' : `${count} kinds of notices are shown again.`;
}

/** `agent.quarantined:reviewer` → `agent.quarantined`. */
export function kindOf(notice: AlertNotice): string {
  return notice.fingerprint.split(':', 1)[0] ?? notice.fingerprint;
}

/** One notice in full, several as the first and how many more. */
export function noticeText(notices: readonly AlertNotice[]): string {
  const [first] = notices;
  if (!first) return '';
  const text = [first.title, first.detail]
    .map((part) => part.trim())
    .filter(Boolean)
    .map((part) => (/[.!?…]$/.test(part) ? part : `${part}.`))
    .join(' ');
  return notices.length === 1 ? text : `${text} And ${notices.length - 1} more like this.`;
}

/**
 * VS Code (1.139) keeps an error with buttons on the screen until it is closed, and offers no way to take it back. What is about an agent can
 * be over at any time (a release from quarantine), so it is a warning, which goes to the notification centre by itself.
 */
function severityOf(notice: AlertNotice): MessageSeverity {
  if (notice.level === AlertLevel.Info) return 'information';
  if (notice.agentId !== undefined) return 'warning';
  return notice.level === AlertLevel.Warning ? 'warning' : 'error';
}
