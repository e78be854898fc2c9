import assert from 'node:assert/strict';
import type { LogFields, Logger } from '../../../src/core/base/log';
import { silentLogger } from '../../../src/core/base/log';
import type { ValidationProblem } from '../../../src/core/data/validation/validationRule';
import { InvalidRecords } from '../../../src/core/invalidRecords';
import type { AlertNotice } from '../../../src/core/monitoring/alertSink';
import { ManualClock } from '../../support/manualClock';

const wrong: ValidationProblem = { path: '/generation', rule: 'range', code: 'range', message: 'must be at least 0', severity: 'error' }; // prettier-ignore
const odd: ValidationProblem = { ...wrong, severity: 'warning' };
const theirs: ValidationProblem = { ...wrong, rule: 'some.body/noRed' };

describe('what the rules found on the way in', () => {
  it('is logged a few times each; a refusal by our own rules is told to a person, too', () => {
    const [notices, lines]: [AlertNotice[], string[]] = [[], []];
    const add = (level: string) => (message: string, fields?: LogFields) => void lines.push(`${level} ${message} ${String(fields?.['rule'])}`); // prettier-ignore
    const log: Logger = { ...silentLogger, warn: add('warn'), error: add('error') };
    const sink = { raise: (notice: AlertNotice) => void notices.push(notice), resolve: () => undefined };
    const records = new InvalidRecords({ notices: sink, clock: new ManualClock(), log });
    const agent = { kind: 'agent', id: 'scout' };
    for (let i = 0; i < 20; i++) records.note([{ ...agent, isRefused: false, problems: [odd] }]);
    records.note([{ ...agent, isRefused: true, problems: [odd, theirs] }]);
    assert.deepEqual([lines.length, notices], [6, []]);
    assert.equal(lines[5], 'error a record is not valid and was not kept some.body/noRed');
    records.note([{ ...agent, isRefused: true, problems: [odd, wrong] }]);
    assert.equal(notices.length, 1);
    assert.match(notices[0]?.detail ?? '', /^The last one: agent scout at \/generation: must be at least 0\./);
  });
});
