import type { RunClaim, TerminalFact } from './integrityModel';
import { advice, type IntegrityCode, type IntegrityFinding, type IntegrityFix } from './integrityReport';

const RECONCILE: IntegrityFix = { kind: 'reconcile', label: 'Compare the agents with tmux again' };

/**
 * Where what is kept and what tmux has have drifted apart. `before` and `after` are what the records said around the moment
 * in which tmux was asked: who changed meanwhile, or is being started or ended, is left out.
 */
export function compareTerminals(
  kind: string,
  before: readonly RunClaim[],
  terminals: readonly TerminalFact[],
  after: readonly RunClaim[],
): readonly IntegrityFinding[] {
  const terminalOf = new Map(terminals.map((terminal) => [terminal.id, terminal]));
  const early = new Map(before.map((claim) => [claim.id, claim]));
  const known = new Set([...early.keys(), ...after.map(({ id }) => id)]);
  const drift = after.flatMap((claim) => {
    const was = early.get(claim.id);
    if (was?.expects !== claim.expects || was.generation !== claim.generation) return [];
    const found = driftOf(claim, terminalOf.get(claim.id));
    return found ? [finding(kind, claim.id, found)] : [];
  });
  const unrecorded = terminals
    .filter(({ id, liveness }) => !known.has(id) && liveness === 'alive')
    .map(({ id, generation }) =>
      finding(kind, id, ['terminal.unrecorded', `a session of generation ${generation} runs that no record knows`]),
    );
  return [...drift, ...unrecorded];
}

/** tmux did not answer. */
export function unknownTerminals(): IntegrityFinding {
  return {
    code: 'terminal.unknown',
    severity: 'info',
    message: 'tmux could not be asked which sessions there are: drift between it and the store is not known',
    fix: advice('Check again once the status says that tmux is there.'),
  };
}

type Drift = readonly [code: IntegrityCode, message: string];

function driftOf({ expects, generation }: RunClaim, terminal: TerminalFact | undefined): Drift | undefined {
  if (expects === 'open' || terminal?.liveness === 'unknown') return undefined;
  const isAlive = terminal?.liveness === 'alive';
  if (expects === 'none')
    return isAlive ? ['terminal.unexpected', 'it is said not to run, and its session lives'] : undefined;
  if (!terminal) return ['terminal.gone', 'it is said to run, and tmux has no session of it'];
  if (!isAlive) return ['terminal.dead', 'it is said to run, and its process has ended'];
  if (terminal.generation === generation) return undefined;
  return ['terminal.generation', `generation ${generation} is recorded, and generation ${terminal.generation} runs`];
}

function finding(kind: string, id: string, [code, message]: Drift): IntegrityFinding {
  return { code, severity: 'error', kind, id, message, fix: RECONCILE };
}
