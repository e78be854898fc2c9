/**
 * The instants of a stop at which a crash hurts, in order. Tests end the process at each of them (R17); in production nothing
 * happens.
 */
export const STOP_FAULT_POINTS = [
  /** Kept that it is to be stopped; nothing else. */
  'intent.kept',
  /** Kept as `stopping`; nothing was sent. */
  'stopping.kept',
  /** Kept which processes are to end; nothing was sent. */
  'family.kept',
  /** Asked by its quit keys. */
  'quit.sent',
  /** All but the first process are held by SIGSTOP, before SIGTERM. */
  'family.held',
  /** SIGTERM went to every process. */
  'term.sent',
  /** SIGKILL went to the first of several. */
  'kill.begun',
  /** SIGKILL went to all whose turn it was. */
  'kill.sent',
  /** Nobody is left; the terminal is there. */
  'end.proved',
  /** The terminal is removed; not kept. */
  'terminal.closed',
  /** Kept as `stopped`; the file of its token may still be there. */
  'end.kept',
] as const;
export type StopFaultPoint = (typeof STOP_FAULT_POINTS)[number];
