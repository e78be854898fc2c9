import assert from 'node:assert/strict';
import type { ProcessIdentity } from '../../src/core/agents/agent';
import type { EndSignal, Processes } from '../../src/core/agents/processes';
import { eventually } from '../support/eventually';

/** What a test can start. A tree is: root (leads its session) → child (same session) → grandchild (own session, ignores HUP and TERM) → orphan (in the grandchild's session). */
export interface ProcessesFixture {
  readonly processes: Processes;
  startTree(marker: string): Promise<{
    readonly root: ProcessIdentity;
    readonly child: ProcessIdentity;
    readonly grandchild: ProcessIdentity;
    readonly orphan: ProcessIdentity;
  }>;
  /** A process whose parent never collects it, ended. Undefined where that cannot be made. */
  startZombie(): Promise<ProcessIdentity>;
  dispose(): Promise<void>;
}

/** The behaviour of {@link Processes}, for the fake and for every real implementation. `seesSessions`: session and environment of other processes are visible. */
export function describeProcesses(name: string, create: () => ProcessesFixture | Promise<ProcessesFixture>): void {
  describe(`Processes: ${name}`, () => {
    let fixture: ProcessesFixture;

    beforeEach(async () => {
      fixture = await create();
    });

    afterEach(() => fixture.dispose());

    const pids = (found: readonly ProcessIdentity[]): readonly number[] =>
      found.map((one) => one.pid).sort((a, b) => a - b);
    const gone = (identity: ProcessIdentity) =>
      eventually(`${identity.pid} is gone`, async () => (await fixture.processes.identify(identity.pid)) === undefined);

    it('identifies a living process by pid and start time, and nothing by a pid that is free', async () => {
      const { root } = await fixture.startTree('m1');
      const found = await fixture.processes.identify(root.pid);
      assert.deepEqual([found?.pid, found?.startTime], [root.pid, root.startTime]);
      assert.equal(await fixture.processes.identify(2 ** 22 + 1), undefined);
    });

    it('finds the family of a living root, other sessions included, and nobody else', async () => {
      const { root, child, grandchild, orphan } = await fixture.startTree('m1');
      const other = await fixture.startTree('m2');
      assert.deepEqual(pids(await fixture.processes.family([root], 'm1')), pids([root, child, grandchild, orphan]));
      assert.deepEqual(pids(await fixture.processes.family([child], 'm1')), pids([child, grandchild, orphan]));
      assert.deepEqual(
        pids(await fixture.processes.family([grandchild, other.grandchild], 'm1')),
        pids([grandchild, orphan, other.grandchild, other.orphan]),
      );
    });

    it('finds, when the root is gone, who is left of its session and carries the mark', async () => {
      const { root, child, grandchild, orphan } = await fixture.startTree('m1');
      await fixture.processes.signal(root, 'SIGKILL');
      await gone(root);
      assert.deepEqual(pids(await fixture.processes.family([root], 'm1')), pids([child, grandchild, orphan]));
      assert.deepEqual(await fixture.processes.family([root], 'other'), []);
    });

    it('finds who is left of any session that a known process led, not only of the first', async () => {
      const { root, child, grandchild, orphan } = await fixture.startTree('m1');
      for (const one of [root, child, grandchild]) await fixture.processes.signal(one, 'SIGKILL');
      for (const one of [root, child, grandchild]) await gone(one);
      assert.deepEqual(await fixture.processes.family([root], 'm1'), []);
      assert.deepEqual(pids(await fixture.processes.family([root, grandchild], 'm1')), pids([orphan]));
      assert.deepEqual(await fixture.processes.family([root, grandchild], 'other'), []);
    });

    it('finds everything that carries a mark', async () => {
      const { root, child, grandchild, orphan } = await fixture.startTree('m1');
      await fixture.startTree('m1x');
      assert.deepEqual(pids(await fixture.processes.marked('m1')), pids([root, child, grandchild, orphan]));
      assert.deepEqual(await fixture.processes.marked('nobody'), []);
    });

    it('takes a process with another start time for somebody else: neither family nor target', async () => {
      const { root } = await fixture.startTree('m1');
      const earlier = { pid: root.pid, startTime: 'before' };
      assert.deepEqual(await fixture.processes.family([earlier], 'm1'), []);
      assert.equal(await fixture.processes.signal(earlier, 'SIGKILL'), 'gone');
      assert.ok(await fixture.processes.identify(root.pid));
    });

    it('ends with SIGKILL what ignores HUP and TERM, and says when a target is gone', async () => {
      const { grandchild } = await fixture.startTree('m1');
      for (const signal of ['SIGHUP', 'SIGTERM'] satisfies EndSignal[])
        assert.equal(await fixture.processes.signal(grandchild, signal), 'sent');
      assert.ok(await fixture.processes.identify(grandchild.pid));
      assert.equal(await fixture.processes.signal(grandchild, 'SIGKILL'), 'sent');
      await gone(grandchild);
      assert.equal(await fixture.processes.signal(grandchild, 'SIGKILL'), 'gone');
    });

    it('holds many, lets them go on and ends them, and passes over those who are gone or somebody else', async () => {
      const { root, child, grandchild, orphan } = await fixture.startTree('m1');
      await fixture.processes.signal(orphan, 'SIGKILL');
      await gone(orphan);
      const all = [orphan, { pid: root.pid, startTime: 'before' }, grandchild, child];
      assert.equal(await fixture.processes.areHeld([grandchild, child]), false);
      await fixture.processes.signalEach(all, 'SIGSTOP');
      await eventually('they stand still', () => fixture.processes.areHeld([orphan, grandchild, child]));
      assert.deepEqual(pids(await fixture.processes.family([root], 'm1')), pids([root, child, grandchild]));
      await fixture.processes.signalEach(all, 'SIGCONT');
      await eventually('they go on', async () => !(await fixture.processes.areHeld([grandchild, child])));
      await fixture.processes.signalEach(all, 'SIGKILL');
      for (const one of [grandchild, child]) await gone(one);
      assert.ok(await fixture.processes.identify(root.pid));
    });

    it('R12 counts a zombie as gone', async () => {
      const zombie = await fixture.startZombie();
      await gone(zombie);
      assert.deepEqual(await fixture.processes.family([zombie], 'm1'), []);
      assert.equal(await fixture.processes.signal(zombie, 'SIGKILL'), 'gone');
    });
  });
}
