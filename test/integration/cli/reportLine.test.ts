import assert from 'node:assert/strict';
import net from 'node:net';
import { openReportLine, type Reporter, tellEngine } from '../../../src/shared/reportLine';
import { eventually } from '../../support/eventually';
import { type Answer, ScriptedGateway } from '../../support/scriptedGateway';

const report = { event: 'Stop', payload: { a: 1 }, sentAtMs: 1 };
const patience = { helloMs: 50, answerMs: 1_000 };

/** This process is not run meanwhile, as on a machine with too much to do. */
function starve(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

describe('the line of a report', () => {
  let gateway: ScriptedGateway;
  let reporter: Reporter;

  beforeEach(async () => {
    gateway = new ScriptedGateway();
    await gateway.listen();
    const place = { socket: gateway.socket, token: 'the-token' };
    reporter = { client: 'test', findEngine: () => place, connect: (path) => net.connect({ path }) };
  });
  afterEach(() => gateway.end());

  it('hands the report to an engine that works, although the reporting process was not run in time', async () => {
    const telling = tellEngine(reporter, openReportLine(reporter), report, patience);
    starve(200);
    assert.deepEqual(await telling, {}, 'it was written, and is not spooled');
    await eventually('the report arrived', () => gateway.methods().includes('hook.report'));
  });

  it('takes an answer that came while the process was not run', async () => {
    const answer = (): Answer => {
      starve(500); // after the answer to hello: both wait to be read when the time is over
      return { result: { output: 'allow' } };
    };
    gateway.answers = { 'hook.report': answer };
    const held = { helloMs: 300, answerMs: undefined };
    assert.deepEqual(await tellEngine(reporter, openReportLine(reporter), report, held), { output: 'allow' });
  });

  it('gives up on an engine that takes nothing, and when it is told to', async () => {
    const gone: Reporter = { ...reporter, findEngine: () => undefined };
    assert.equal(await tellEngine(gone, openReportLine(gone), report, patience), 'notTaken');
    gateway.answers = { 'hook.report': 'hold' };
    const abort = new AbortController();
    const forever = { helloMs: undefined, answerMs: undefined };
    const telling = tellEngine(reporter, openReportLine(reporter), report, forever, abort.signal);
    await eventually('the report arrived', () => gateway.methods().includes('hook.report'));
    abort.abort();
    assert.equal(await telling, 'notTaken');
    await eventually('the connection ended', () => gateway.connectionCount === 0);
  });
});
