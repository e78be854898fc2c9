import assert from 'node:assert/strict';
import type { ProcessIdentity } from '../../../../src/core/agents/agent';
import { type EndOptions, ProcessEnding } from '../../../../src/core/agents/endProcesses';
import { FakeProcesses } from '../../../support/fakeProcesses';
import { ManualClock } from '../../../support/manualClock';

const MARKER = 'w:a:1';
const IGNORES = ['SIGHUP', 'SIGTERM'] as const;

/** A process table of a run: a launch script and its program. */
class Run {
  readonly processes = new FakeProcesses();
  readonly clock = new ManualClock();
  readonly kept: (readonly ProcessIdentity[])[] = [];
  readonly root = this.processes.add({ marker: MARKER, ignores: IGNORES });
  readonly program = this.processes.add({ parent: this.root, ignores: IGNORES });

  ending(options: Partial<EndOptions> = {}): Promise<unknown> {
    const ending = new ProcessEnding(this.processes, this.clock, {
      root: this.root,
      marker: MARKER,
      graceMs: 1_000,
      killWaitMs: 5_000,
      keep: (seen) => Promise.resolve(void this.kept.push(seen)),
      ...options,
    });
    return this.#pass(ending.run());
  }

  async #pass(work: Promise<unknown>): Promise<unknown> {
    let isOver = false;
    const over = (): void => void (isOver = true);
    work.then(over, over);
    for (let i = 0; i < 1_000 && !isOver; i++) await this.clock.advanceMs(20);
    return work;
  }
}

describe('ProcessEnding', () => {
  it('R17 holds whoever is forked between the list and the signal, keeps them, and ends them', async () => {
    const run = new Run();
    const family = run.processes.family.bind(run.processes);
    let forks = 0;
    run.processes.family = async (known, marker) => {
      const found = await family(known, marker);
      // Each look is old at once, until its program is held; what it forks has no mark and leads a session.
      if (!run.processes.held.has(run.program.pid) && run.processes.table.some(({ pid }) => pid === run.program.pid)) {
        run.processes.add({ parent: run.program, isSessionLeader: true, marker: '', ignores: IGNORES });
        forks++;
      }
      return found;
    };
    assert.deepEqual(await run.ending(), { kind: 'gone', strongest: 'SIGKILL' });
    assert.deepEqual(run.processes.table, []);
    assert.ok(forks > 3);
    assert.equal(run.kept.at(-1)?.length, 2 + forks, 'everybody was kept before the kill');
  });

  it('ends what the run starts anew while it ends, by its mark', async () => {
    const run = new Run();
    run.processes.onDidEnd = ({ pid }) => {
      if (pid === run.program.pid) run.processes.add({ marker: MARKER, ignores: IGNORES });
    };
    await run.ending();
    assert.deepEqual(run.processes.table, []);
  });

  it('leaves alone what was independent before, and then whatever has the mark of both', async () => {
    const run = new Run();
    const independent = run.processes.add({ marker: MARKER });
    run.processes.onDidEnd = ({ pid }) => {
      if (pid === run.program.pid) run.processes.add({ marker: MARKER, pid: 700_000 });
    };
    await run.ending();
    assert.deepEqual(run.processes.table.map(({ pid }) => pid), [independent.pid, 700_000]); // prettier-ignore
  });

  it('lets everybody go on who was asked by SIGTERM, and whom it cannot end', async () => {
    const run = new Run();
    run.processes.add({ parent: run.program, isUnkillable: true, ignores: IGNORES });
    let heldAtTerm = -1;
    const ending = run.ending({
      onPoint: (point) => {
        if (point === 'term.sent') heldAtTerm = run.processes.held.size;
      },
    });
    const { kind } = (await ending) as { kind: string };
    assert.deepEqual([kind, heldAtTerm, run.processes.held.size], ['survivors', 0, 0]);
  });

  it('lets everybody go on when the end cannot be kept on', async () => {
    const run = new Run();
    const onPoint: EndOptions['onPoint'] = (point) => {
      if (point === 'family.held') throw new Error('the engine is leaving');
    };
    await assert.rejects(run.ending({ onPoint }), /the engine is leaving/);
    assert.deepEqual([run.processes.held.size, run.processes.table.length], [0, 2]);
  });
});
