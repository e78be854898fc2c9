import type { FleetProblem, FleetResult } from '../../core/engine';
import { type MessageButton, messageFor, type MessageSeverity, showLogButton } from '../errorMessages';

export interface ResultMessage {
  readonly severity: MessageSeverity;
  readonly text: string;
  readonly buttons: readonly MessageButton[];
}

export type FleetVerb = 'started' | 'stopped' | 'brought back';

const nothingDone: Record<FleetVerb, string> = {
  started: 'Every agent of the fleet is running already.',
  stopped: 'No agent was running.',
  'brought back': 'Every agent that should run is running.',
};

const SHOWN_NAMES = 5;

/** What is said after a fleet was started or stopped; nothing when the rows of the view say it all. */
export function describeResult(verb: FleetVerb, result: FleetResult): ResultMessage | undefined {
  const [first] = result.failed;
  const done = `${result.succeeded.length} ${result.succeeded.length === 1 ? 'agent' : 'agents'} ${verb}`;
  const skipped = verb === 'started' ? skippedText(result.skipped) : '';
  if (first) {
    const reason = messageFor(first.error)?.text ?? 'It was cancelled.';
    const others = othersText(result.failed.slice(1).map(({ name }) => name));
    return {
      severity: 'error',
      text: `${done}.${skipped} ${first.name} was not ${verb}: ${reason}${others}`,
      buttons: [showLogButton],
    };
  }
  if (result.isCanceled) return { severity: 'information', text: `Cancelled: ${done} before.${skipped}`, buttons: [] };
  if (result.succeeded.length === 0) {
    return {
      severity: 'information',
      text: nothingDone[verb],
      buttons: [],
    };
  }
  return skipped === '' ? undefined : { severity: 'information', text: `${done}.${skipped}`, buttons: [] };
}

/** ` 2 were running already: A, B.`; empty for none. */
function skippedText(names: readonly string[]): string {
  if (names.length === 0) return '';
  return ` ${names.length} ${names.length === 1 ? 'was' : 'were'} running already: ${shownNames(names)}.`;
}

/** ` 2 more failed: A, B.`; empty for none. */
export function othersText(names: readonly string[]): string {
  return names.length === 0 ? '' : ` ${names.length} more failed: ${shownNames(names)}.`;
}

function shownNames(names: readonly string[]): string {
  const more = names.length - SHOWN_NAMES;
  return `${names.slice(0, SHOWN_NAMES).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** The first problem in full, the lines of the others, and what to do. */
export function problemsText(problems: readonly FleetProblem[]): string {
  const [first, ...others] = problems;
  if (!first) return '';
  const place = [`line ${first.line + 1}, column ${first.column + 1}`, first.path].filter(Boolean).join(', ');
  return `The fleet file is not right (${place}): ${first.message}.${moreText(others)} Nothing was started. Correct the file, then start the fleet again.`;
}

/** ` And 4 more, on lines 5, 7 and 9: Problems lists all.`; empty for none. */
function moreText(others: readonly FleetProblem[]): string {
  if (others.length === 0) return '';
  const lines = [...new Set(others.map(({ line }) => line + 1))].sort((a, b) => a - b);
  const shown = shownNames(lines.map(String));
  const where = lines.length === 1 ? `line ${shown}` : `lines ${shown}`;
  return ` And ${others.length} more, on ${where}: Problems lists all.`;
}
