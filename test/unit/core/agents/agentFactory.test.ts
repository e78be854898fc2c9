import assert from 'node:assert/strict';
import { AgentError } from '../../../../src/core/agents/agentErrors';
import { AgentFactory } from '../../../../src/core/agents/agentFactory';
import { builtInTypes } from '../../../../src/core/agents/builtInTypes';
import { aRecord, aSpec } from '../../../support/builders';

const options = { shell: '/usr/bin/zsh', execPath: '/opt/node', demoAgent: '/ext/demo.js', workspaceId: 'w1' };
const factory = () => new AgentFactory(options, builtInTypes(), (error) => assert.fail(String(error)));

describe('AgentFactory', () => {
  it('makes the command of each type as a vector, placeholders and own arguments included', () => {
    const argv = (spec: object) => factory().argv({ ...aSpec(), ...spec });
    assert.deepEqual(argv({ typeId: 'demo', args: ['a b', '$(x)'] }), ['/opt/node', '/ext/demo.js', 'a b', '$(x)']);
    assert.deepEqual(argv({ typeId: 'shell' }), ['/usr/bin/zsh']);
    assert.deepEqual(argv({ typeId: 'command', command: ['make', '{shell}'], args: ['-j'] }), [
      'make',
      '{shell}',
      '-j',
    ]);
    assert.deepEqual(argv({ typeId: 'codex' }), ['codex', '--no-daemon', '-c', 'check_for_update_on_startup=false']);
    assert.throws(() => argv({ typeId: 'nope' }), (error) => AgentError.is(error, 'agent.unknownType')); // prettier-ignore
    assert.throws(() => argv({ typeId: 'command' }), (error) => AgentError.is(error, 'agent.invalidSpec')); // prettier-ignore
  });

  it('marks the environment so that a process can be proved to be ours', async () => {
    const record = aRecord({ generation: 3, spec: aSpec({ env: { CORE_ORCHESTRATOR_RUN: 'forged' } }) });
    const base = { process: {}, loginShell: { CORE_ORCHESTRATOR_AGENT: 'outer' } };
    const launch = await factory().createLaunch(record, base, '/run/launch/reviewer.3');
    assert.deepEqual(
      [
        launch.env['CORE_ORCHESTRATOR_RUN'],
        launch.env['CORE_ORCHESTRATOR_AGENT'],
        launch.env['CORE_ORCHESTRATOR_GENERATION'],
      ],
      ['w1:reviewer:3', 'reviewer', '3'],
    );
  });

  it('takes types from outside, refuses bad and taken ones, and forgets them when disposed', () => {
    const types = factory();
    const announced: number[] = [];
    types.onDidChangeTypes((all) => announced.push(all.length));
    const registration = types.register({ id: 'mine', label: 'Mine', command: ['mine'] });
    assert.equal(types.get('mine').label, 'Mine');
    assert.throws(() => types.register({ id: 'mine', label: 'Mine', command: ['mine'] }), (error) => AgentError.is(error, 'agent.typeInvalid')); // prettier-ignore
    assert.throws(() => types.register({ id: 'demo' }), (error) => AgentError.is(error, 'agent.typeInvalid') && error.problems.length > 1); // prettier-ignore
    registration.dispose();
    registration.dispose();
    assert.deepEqual([types.find('mine'), announced], [undefined, [11, 10]]);
  });
});
