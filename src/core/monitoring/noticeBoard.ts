import { type Disposable } from '../base/disposable';
import { Emitter, type Event, type ListenerFailure } from '../base/event';
import type { AlertNotice, AlertSink } from './alertSink';

/** A notice appeared (or was replaced), or its condition is over. */
export interface NoticeBoardChange {
  readonly kind: 'raised' | 'resolved';
  readonly notice: AlertNotice;
}

/**
 * Keeps what is raised now, by fingerprint. Raising the same fingerprint with the same level, title and detail again is
 * silent, so that a condition that is looked at often announces itself once.
 */
export class NoticeBoard implements AlertSink, Disposable {
  readonly #notices = new Map<string, AlertNotice>();
  readonly #onDidChange: Emitter<NoticeBoardChange>;
  readonly onDidChange: Event<NoticeBoardChange>;

  constructor(onListenerFailure: ListenerFailure) {
    this.#onDidChange = new Emitter(onListenerFailure);
    this.onDidChange = this.#onDidChange.event;
  }

  /** Newest first. */
  get notices(): readonly AlertNotice[] {
    return [...this.#notices.values()].reverse();
  }

  raise(notice: AlertNotice): void {
    const known = this.#notices.get(notice.fingerprint);
    if (known && known.level === notice.level && known.title === notice.title && known.detail === notice.detail) return;
    this.#notices.delete(notice.fingerprint); // re-inserted below: newest last
    this.#notices.set(notice.fingerprint, notice);
    this.#onDidChange.fire({ kind: 'raised', notice });
  }

  resolve(fingerprint: string): void {
    const notice = this.#notices.get(fingerprint);
    if (!notice) return;
    this.#notices.delete(fingerprint);
    this.#onDidChange.fire({ kind: 'resolved', notice });
  }

  dispose(): void {
    this.#onDidChange.dispose();
    this.#notices.clear();
  }
}
