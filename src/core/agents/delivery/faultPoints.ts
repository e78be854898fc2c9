import type { StopFaultPoint } from '../stopFaultPoints';

/**
 * The instants between the intent to deliver a prompt and the evidence that it arrived, in order: where a crash hurts. Tests end
 * the process at each of them (R7); in production nothing happens.
 */
export const DELIVERY_FAULT_POINTS = [
  /** A prompt was asked for; nothing is kept yet. */
  'intent.received',
  /** Kept as `queued`. */
  'queued.kept',
  /** Its turn came and the agent is free; nothing more is kept. */
  'ready.seen',
  /** Kept as `typing`; not pasted. */
  'typing.kept',
  /** Pasted. */
  'paste.done',
  /** A draft is in the input box. */
  'draft.seen',
  /** Kept as `typed`. */
  'typed.kept',
  /** The draft stands still; the submit key is next. */
  'draft.settled',
  /** Kept as `submitted`; the key was not pressed. */
  'submitted.kept',
  /** The submit key was pressed. */
  'submit.pressed',
  /** Evidence is there; not kept. */
  'evidence.seen',
  /** Kept as `acknowledged`; nobody was told. */
  'acknowledged.kept',
] as const;
export type DeliveryFaultPoint = (typeof DELIVERY_FAULT_POINTS)[number];

/** Told at every point that is passed. */
export interface FaultPoints {
  hit(point: DeliveryFaultPoint | StopFaultPoint): void;
}

export const NO_FAULT_POINTS: FaultPoints = { hit: () => undefined };
