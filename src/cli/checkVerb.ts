import type { GatewayParams } from '../shared/gatewayMethods';
import type { VerbContext } from './context';
import { CliError, ExitCode, usageError } from './exitCodes';
import { agrees } from './requestVerbs';
import { cleanLine } from './terminalText';

/** What `data.integrity` answers. */
interface IntegrityAnswer {
  readonly isWhole: boolean;
  readonly isCut: boolean;
  readonly records: number;
  readonly changes: number;
  readonly sessions?: number;
  readonly findings: readonly Finding[];
}

interface Finding {
  readonly severity: string;
  readonly kind?: string;
  readonly id?: string;
  readonly path?: string;
  readonly message: string;
  readonly fix: Fix | { readonly kind: 'advice'; readonly text: string };
}

type Fix = GatewayParams['data.fix'] & { readonly label: string };

interface Fixed {
  readonly fix: Fix;
  /** What was done. */
  readonly done?: string;
  /** Why it was not. */
  readonly error?: string;
}

/** `orc data check [--fix [--yes]]` */
export async function check(context: VerbContext): Promise<ExitCode> {
  const isFixing = context.has('fix');
  const isAsked = isFixing && !context.has('yes');
  const report = (await context.call('data.integrity', {})) as IntegrityAnswer; // the engine's own
  const fixes = isFixing ? fixesOf(report) : [];
  if (isAsked && fixes.length > 0 && (context.isJson || !context.isAtTerminal)) {
    throw usageError('a fix may remove a record', 'If you mean all of them: orc data check --fix --yes');
  }
  if (!context.isJson) context.say(reportText(report, isFixing));
  if (isAsked && fixes.length > 0 && !(await agrees(context, 'Apply all fixes?'))) return ExitCode.Failure;
  const fixed: Fixed[] = [];
  for (const fix of fixes) {
    const each = await apply(context, fix);
    if (!context.isJson)
      context.say(cleanLine(`${fix.label}${placeOf(fix)}: ${each.done ?? `NOT DONE, ${each.error}`}`));
    fixed.push(each);
  }
  if (!context.isJson && isFixing && fixes.length === 0 && !report.isWhole)
    context.say('Nothing was changed: nothing here can be done by itself.');
  if (context.isJson) context.answer(isFixing ? { ...report, fixed } : report, String);
  const isLeft = report.isCut || report.findings.some(({ severity, fix }) => severity !== 'info' && !isFix(fix));
  const isMended = isFixing && !isLeft && fixed.every(({ done }) => done !== undefined);
  return report.isWhole || isMended ? ExitCode.Ok : ExitCode.Failure;
}

function reportText(
  { isWhole, isCut, findings, records, changes, sessions }: IntegrityAnswer,
  isFixing: boolean,
): string {
  const counts = `${records} records, ${changes} changes, ${sessions === undefined ? 'tmux not asked' : `${sessions} sessions`}`;
  const found = findings.filter(({ severity }) => severity !== 'info').length;
  const lines = findings.map(({ severity, kind = '', id = '', path = '', message, fix }) => {
    const place = cleanLine([kind, id, path].filter((part) => part !== '').join(' '));
    const advice = isFix(fix) ? `Fix: ${fix.label}.` : fix.text;
    return `- ${cleanLine(severity)}: ${place === '' ? '' : `${place}: `}${cleanLine(message)}. ${cleanLine(advice)}`;
  });
  const hint = !isFixing && findings.some(({ fix }) => isFix(fix));
  return [
    isWhole ? `whole, ${counts}` : `NOT WHOLE, ${isCut ? 'more than ' : ''}${found} found in ${counts}`,
    ...lines,
    ...(hint ? ['`orc data check --fix` does them.'] : []),
  ].join('\n');
}

function isFix(fix: Finding['fix']): fix is Fix {
  return fix.kind !== 'advice';
}

/** Each once: several findings may be about one record, and one comparison with tmux settles all sessions. */
function fixesOf({ findings }: IntegrityAnswer): readonly Fix[] {
  const fixes = new Map<string, Fix>();
  for (const { fix } of findings) if (isFix(fix)) fixes.set(`${fix.kind} ${fix.recordKind} ${fix.id}`, fix);
  return [...fixes.values()];
}

const placeOf = ({ recordKind, id }: Fix): string => (id === undefined ? '' : ` (${recordKind} ${id})`);

/** One that is refused, as when its record was changed meanwhile, does not keep back the others. */
async function apply(context: VerbContext, fix: Fix): Promise<Fixed> {
  const { label: _forPeople, ...params } = fix;
  try {
    return { fix, done: String(await context.call('data.fix', params)) };
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode === ExitCode.NoEngine) throw error;
    return { fix, error: error.message };
  }
}
