import assert from 'node:assert/strict';
import { Doctor, type DoctorReport } from '../../../../src/core/agents/doctor';
import { AgentFactory } from '../../../../src/core/agents/agentFactory';
import { builtInTypes } from '../../../../src/core/agents/builtInTypes';
import { silentLogger } from '../../../../src/core/base/log';
import { askerType } from '../../../support/askerType';
import { SupervisedWorld } from '../../../support/supervisedWorld';

const box = { first: '^> ?', strip: ['^> ?'] };
const doctored = { ...askerType, box, detect: { command: 'asker' }, installHint: 'get asker', inject: { args: ['--hooks'] }, doctor: { knownVersions: ['1.2.3'], args: ['--trust={folder}'], firstHook: 'Begin' } }; // prettier-ignore

class World extends SupervisedWorld {
  readonly removed: string[] = [];
  output = 'asker 1.2.3 (build 7)';
  onLaunch: (id: string, generation: number) => void = () => undefined;

  async examine(type: object = doctored): Promise<DoctorReport> {
    this.commands.add('asker');
    this.folders.add('/trial');
    const tools = { folder: '/tools', orc: '/tools/orc', pointerFile: '/data/gateway.json' };
    const options = { shell: '/bin/bash', execPath: '/usr/bin/node', demoAgent: '/demo.js', workspaceId: 'w1', tools };
    const factory = new AgentFactory(options, builtInTypes(), (error) => assert.fail(String(error)));
    factory.register(type);
    this.supervisor.dispose();
    this.supervisor = this.make({ factory });
    await this.run(this.supervisor.begin());
    const { environment, checks } = this.ports();
    const trial = {
      run: () => Promise.resolve({ code: 0, output: this.output }),
      makeFolder: () =>
        Promise.resolve({ path: '/trial', remove: () => Promise.resolve(void this.removed.push('/trial')) }),
    };
    this.host.onDidLaunch = ({ agentId, generation }) => this.onLaunch(agentId, generation);
    const { supervisor, host, clock, ids } = this;
    const doctor = new Doctor({ supervisor, factory, host, environment, checks, trial, workspaceFolder: () => '/project', clock, ids, log: silentLogger }); // prettier-ignore
    return this.run(doctor.examine('asker', new AbortController().signal));
  }

  show(text: string): void {
    this.onLaunch = (id) => this.host.simulateScreen(id as never, { text }); // ids come from the host
  }

  hookLater(event: string): void {
    const { onLaunch } = this;
    this.onLaunch = (id, generation) => {
      onLaunch(id, generation);
      const report = {
        agentId: id as never,
        generation,
        event,
        payload: {},
        sentAtMs: this.clock.nowMs(),
        isLate: false,
      };
      this.clock.setTimer(3_000, () => void this.supervisor.hooks.report(report, new AbortController().signal));
    };
  }
}

const levels = ({ checks }: DoctorReport) => Object.fromEntries(checks.map(({ id, level }) => [id, level]));

describe('Doctor', () => {
  it('finds everything in order, and leaves nothing behind', async () => {
    const world = new World();
    world.show('> ');
    world.hookLater('Begin');
    const report = await world.examine();
    assert.deepEqual(levels(report), { program: 'ok', version: 'ok', start: 'ok', hooks: 'ok', box: 'ok', stop: 'ok' });
    assert.deepEqual([report.programVersion, report.knownVersions], ['1.2.3', ['1.2.3']]);
    assert.deepEqual(
      [world.removed, world.supervisor.registry.list(), world.processes.table.length],
      [['/trial'], [], 0],
    );
    const [spec] = world.host.launchedSpecs();
    assert.deepEqual([spec?.folder, spec?.argv.slice(-2)], ['/trial', ['--hooks', '--trust=/trial']]);
  });

  it('types nothing', async () => {
    const world = new World();
    world.show('> ');
    await world.examine();
    const typed = world.host.calls.filter(({ method }) => method === 'paste' || method === 'press');
    assert.deepEqual(typed, []);
  });

  it('says what is missing: hooks, version, a question that comes first', async () => {
    const world = new World();
    world.output = 'asker 2.0.0';
    world.show('> ');
    assert.deepEqual(levels(await world.examine()), {
      program: 'ok',
      version: 'info',
      start: 'ok',
      hooks: 'error',
      box: 'ok',
      stop: 'ok',
    });
    const asking = new World();
    asking.output = 'what?';
    asking.show('Allow this folder?\n  Enter to confirm');
    const report = await asking.examine();
    assert.deepEqual(levels(report), {
      program: 'ok',
      version: 'warning',
      start: 'ok',
      hooks: 'warning',
      box: 'warning',
      stop: 'ok',
    });
    assert.equal(report.programVersion, undefined);
    assert.doesNotMatch(JSON.stringify(report), /Without hooks/);
  });

  it('waits no longer for what cannot come while a question is up', async () => {
    const world = new World();
    world.show('Allow this folder?\n  Enter to confirm');
    const beganMs = world.clock.monotonicMs();
    const report = await world.examine({ ...doctored, doctor: { knownVersions: [], folder: 'workspace', firstHook: 'Begin' } }); // prettier-ignore
    assert.ok(world.clock.monotonicMs() - beganMs < 10_000, `${world.clock.monotonicMs() - beganMs} ms`);
    const hooks = report.checks.find(({ id }) => id === 'hooks');
    assert.match(hooks?.detail ?? '', /^not checked: in \/project it asks something first/);
    assert.match(hooks?.advice ?? '', /^Answer it once in a terminal in this folder/);
  });

  it('starts a program that asks in every new folder where agents work', async () => {
    const world = new World();
    world.show('> ');
    world.hookLater('Begin');
    const report = await world.examine({ ...doctored, doctor: { knownVersions: [], folder: 'workspace', firstHook: 'Begin' } }); // prettier-ignore
    assert.deepEqual([levels(report)['hooks'], levels(report)['box']], ['ok', 'ok']);
    assert.deepEqual([world.host.launchedSpecs()[0]?.folder, world.removed], ['/project', []]);
  });

  it('does not start what is not installed', async () => {
    const world = new World();
    const report = await world.examine({ ...doctored, command: ['nowhere'] });
    assert.deepEqual(
      [levels(report), report.checks[0]?.advice, world.launches()],
      [{ program: 'error' }, 'get asker', 0],
    );
  });

  it('tells how a program that ends at once has ended, and forgets its agent', async () => {
    const world = new World();
    world.onLaunch = (id) => world.host.simulateExit(id as never, { code: 3 });
    const report = await world.examine();
    assert.equal(levels(report)['start'], 'error');
    assert.match(report.checks.find(({ id }) => id === 'start')?.detail ?? '', /code 3/);
    assert.deepEqual(world.supervisor.registry.list(), []);
  });
});
