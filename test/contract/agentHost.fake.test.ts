import type { AgentId } from '../../src/core/agents/agent';
import type { LaunchSpec } from '../../src/core/agents/agentHost';
import { FakeAgentHost } from '../support/fakeAgentHost';
import { ManualClock } from '../support/manualClock';
import { describeAgentHost, type AgentHostHarness } from './agentHost.contract';

describeAgentHost('FakeAgentHost', async () => {
  const host = new FakeAgentHost(new ManualClock());
  const screens = new Map<AgentId, string>();
  let pid = 5_000;
  const harness: AgentHostHarness = {
    host,
    spec: (agentId, changes = {}): LaunchSpec => ({
      agentId,
      generation: 1,
      folder: '/',
      argv: ['program'],
      env: {},
      ...changes,
    }),
    print: async (agentId, line) => {
      const text = `${screens.get(agentId) ?? ''}${line.trimEnd()}\n`;
      screens.set(agentId, text);
      host.simulateOutput(agentId, `${line}\r\n`);
      host.simulateScreen(agentId, { text: text.trimEnd() });
    },
    osc: async (agentId, code, text) => host.simulateOsc(agentId, code, text),
    enterCopyMode: async (agentId) => host.setScreen(agentId, { isInCopyMode: true }),
    launchFile: async (agentId, generation, path) => {
      const isAlive = (await host.probe(agentId)).kind === 'alive';
      const spec = host.launchedSpecs(agentId).find((one) => one.generation === generation);
      return isAlive ? spec?.files?.[path] : undefined;
    },
    exit: async (agentId, code) => host.simulateExit(agentId, { code }),
    kill: async (agentId) => host.simulateExit(agentId, { signal: 'SIGKILL' }),
    inputOf: async (agentId) =>
      host.pastedTexts(agentId).join('') +
      host
        .pressedKeys(agentId)
        .map((key) => (key === 'Enter' ? '\n' : ''))
        .join(''),
    attach: async (agentId) => {
      host.simulateClient(++pid, agentId);
      return pid;
    },
    dispose: async () => host.dispose(),
  };
  return harness;
});
