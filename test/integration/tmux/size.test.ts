import assert from 'node:assert/strict';
import { type IPty, spawn } from 'node-pty';
import type { AgentId } from '../../../src/core/agents/agent';
import type { TmuxAgentHost } from '../../../src/core/tmux/node/tmuxAgentHost';
import { eventually } from '../../support/eventually';
import { requireTmux, TmuxTestServer } from '../../support/tmuxServer';

const ATTACHED = 'attached' as AgentId;
const ALONE = 'alone' as AgentId;

describe('the size of a terminal that nobody looks at', () => {
  let server: TmuxTestServer;
  let host: TmuxAgentHost;
  let person: IPty | undefined;

  before(function () {
    requireTmux(this);
  });

  beforeEach(async () => {
    server = new TmuxTestServer();
    host = server.host();
    await host.start();
  });

  afterEach(() => {
    person?.kill();
    host.dispose();
    server.dispose();
  });

  const launch = (agentId: AgentId, argv: readonly [string, ...string[]]): Promise<unknown> =>
    host.launch({ agentId, generation: 1, folder: '/', argv, env: {} });
  const size = (agentId: AgentId): string =>
    server.tmux('list-windows', '-t', `=${agentId}:`, '-F', '#{window_width}x#{window_height}').stdout.trim();
  const attach = (agentId: AgentId): IPty => {
    const { program, args } = host.attachCommand(agentId);
    return spawn(program, [...args], { cols: 100, rows: 12, name: 'xterm-256color', env: server.serverEnv });
  };

  it('is 120 by 40, also while another agent is looked at in a small one', async () => {
    await launch(ATTACHED, ['/bin/cat']);
    person = attach(ATTACHED);
    await eventually('the person decides', () => size(ATTACHED).startsWith('100x'));
    await launch(ALONE, ['/bin/sh', '-c', 'while sleep 0.1; do stty size; done']);
    assert.equal(size(ALONE), '120x40');
    await eventually('the program sees it', async () => (await host.capture(ALONE)).text.includes('40 120'));
    assert.equal(size(ATTACHED).startsWith('100x'), true);
  });

  it('is decided by who attaches', async () => {
    await launch(ALONE, ['/bin/cat']);
    assert.equal(size(ALONE), '120x40');
    person = attach(ALONE);
    await eventually('the person decides', () => size(ALONE).startsWith('100x'));
  });
});
