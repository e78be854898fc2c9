import type { Clock } from './base/clock';
import type { IntegrityFinding, IntegrityReport } from './data/integrity/integrityReport';
import { STORE_FINDINGS } from './engine';
import { AlertLevel, type AlertSink } from './monitoring/alertSink';

/** Raised by a check that nobody asked for, and taken back by any check that finds nothing to do. */
export class IntegrityNotice {
  constructor(
    private readonly notices: AlertSink,
    private readonly clock: Pick<Clock, 'nowMs'>,
  ) {}

  /** Of a check that the schedule made. True when there is something to do. */
  tell(report: IntegrityReport): boolean {
    const [first, ...others] = report.findings.filter(isWorthTelling);
    if (!first) {
      this.notices.resolve(STORE_FINDINGS);
      return false;
    }
    const place = [first.kind, first.id].filter((part) => part !== undefined).join(' ');
    const more = others.length > 0 ? ` And ${report.isCut ? 'more than ' : ''}${others.length} more.` : '';
    this.notices.raise({
      fingerprint: STORE_FINDINGS,
      level: AlertLevel.Warning,
      title: 'Something that is kept does not fit together',
      detail: `${place === '' ? '' : `${place}: `}${first.message}.${more} Nothing was changed. Check Store, or \`orc data check\` in a shell, shows all and does what can be done.`,
      atMs: this.clock.nowMs(),
    });
    return true;
  }

  /** Of a check that a person sees. */
  seen(report: IntegrityReport): void {
    if (!report.findings.some(isWorthTelling)) this.notices.resolve(STORE_FINDINGS);
  }
}

/** Of what is odd and harmless, only what can be mended: the rest would be told for ever. */
function isWorthTelling({ severity, fix }: IntegrityFinding): boolean {
  return severity === 'error' || (severity === 'warning' && fix.kind !== 'advice');
}
