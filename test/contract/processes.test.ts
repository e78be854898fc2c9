import { existsSync } from 'node:fs';
import { LinuxProcesses } from '../../src/core/agents/node/linuxProcesses';
import { PsProcesses } from '../../src/core/agents/node/psProcesses';
import type { Processes } from '../../src/core/agents/processes';
import { FakeProcesses } from '../support/fakeProcesses';
import { notRun } from '../support/notRun';
import { RealProcesses } from '../support/realProcesses';
import { describeProcesses, type ProcessesFixture } from './processes.contract';

function real(processes: Processes): ProcessesFixture {
  const made = new RealProcesses(processes);
  return {
    processes,
    startTree: (marker) => made.tree(marker),
    startZombie: () => made.zombie(),
    dispose: () => made.dispose(),
  };
}

describeProcesses('FakeProcesses', () => {
  const processes = new FakeProcesses();
  return {
    processes,
    startTree: async (marker) => {
      const root = processes.add({ marker });
      const child = processes.add({ parent: root });
      const grandchild = processes.add({ parent: child, isSessionLeader: true, ignores: ['SIGHUP', 'SIGTERM'] });
      const orphan = processes.add({ parent: grandchild });
      return Promise.resolve({ root, child, grandchild, orphan });
    },
    startZombie: async () => {
      const ended = processes.add();
      processes.end(ended);
      return Promise.resolve(ended);
    },
    dispose: () => Promise.resolve(),
  };
});

describe('with /proc', () => {
  before(function () {
    if (process.platform !== 'linux') notRun(this, '/proc is Linux');
  });
  describeProcesses('LinuxProcesses', () => real(new LinuxProcesses()));
});

describe('with ps', () => {
  before(function () {
    if (!existsSync('/bin/ps')) notRun(this, 'ps is not installed');
  });
  describeProcesses('PsProcesses', () => real(new PsProcesses()));
});
