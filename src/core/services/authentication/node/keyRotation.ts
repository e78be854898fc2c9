import type { Clock } from '../../../base/clock';
import { type Disposable, MutableDisposable } from '../../../base/disposable';
import type { Logger } from '../../../base/log';
import { isRotationDue, type KeyRing } from '../keyRing';
import { loadKeys } from './keyFile';

/** 1 h between looks at the wall clock: a timer of 30 days is longer than timers can be, and sleeps with a suspended machine. */
const LOOK_MS = 3_600_000;

/**
 * Gives the ring its next key when the present one is due, for as long as an owner is in charge: an engine may run for months. The file
 * is written first, so that no token is ever signed by a key that the next owner does not have.
 */
export class KeyRotation implements Disposable {
  readonly #timer = new MutableDisposable<Disposable>();
  #isDisposed = false;

  /** `path`: where {@link loadKeys} keeps the keys of this ring. */
  constructor(
    private readonly path: string,
    private readonly ring: KeyRing,
    private readonly ports: { readonly clock: Clock; readonly log: Logger },
  ) {
    this.#arm();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#timer.dispose();
  }

  #arm(): void {
    if (!this.#isDisposed) this.#timer.value = this.ports.clock.setTimer(LOOK_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { clock, log } = this.ports;
    try {
      if (isRotationDue(this.ring.current.createdAtMs, clock.nowMs())) {
        const keys = await loadKeys(this.path, clock);
        if (!this.#isDisposed) this.ring.replace(keys);
      }
    } catch (error) {
      log.warn('the signing key could not be rotated; the present one goes on, and it is tried again', { error });
    }
    this.#arm();
  }
}
