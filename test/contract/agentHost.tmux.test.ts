import { spawn } from 'node-pty';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentId } from '../../src/core/agents/agent';
import { requireTmux, TmuxTestServer } from '../support/tmuxServer';
import { ToldProgram } from '../support/toldProgram';
import { describeAgentHost } from './agentHost.contract';

describe('with tmux', () => {
  before(function () {
    requireTmux(this);
  });

  describeAgentHost('TmuxAgentHost', async () => {
    const server = new TmuxTestServer();
    const host = server.host();
    const programs = new Map<AgentId, ToldProgram>();
    const terminals: { kill(): void }[] = [];
    let count = 0;
    const told = (agentId: AgentId): ToldProgram => {
      const program = programs.get(agentId);
      if (!program) throw new Error(`no program of ${agentId}`);
      return program;
    };
    return {
      host,
      spec: (agentId, changes = {}) => {
        const program = new ToldProgram(join(server.folder, 'programs'), `p${count++}`);
        if (!programs.has(agentId) || (changes.generation ?? 1) > 1) programs.set(agentId, program);
        const env = { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8' };
        return { agentId, generation: 1, folder: server.folder, argv: told(agentId).argv, env, ...changes };
      },
      print: async (agentId, line) => told(agentId).tell(`print ${line}`),
      osc: async (agentId, code, text, end) =>
        told(agentId).tell(`raw \\033]${code};${text}${end === 'BEL' ? '\\007' : '\\033\\134'}`),
      enterCopyMode: async (agentId) => {
        const { stderr } = server.tmux('copy-mode', '-t', `=${agentId}:`);
        if (stderr !== '') throw new Error(stderr);
      },
      launchFile: (agentId, generation, path) =>
        readFile(join(host.launchFolder(agentId, generation), path), 'utf8').catch(() => undefined), // not there: that is asked
      exit: async (agentId, code) => told(agentId).tell(`exit ${code}`),
      kill: async (agentId) => told(agentId).tell('kill KILL'),
      inputOf: async (agentId) => told(agentId).input(),
      attach: async (agentId) => {
        const { program, args } = host.attachCommand(agentId);
        const terminal = spawn(program, [...args], {
          name: 'xterm-256color',
          cols: 100,
          rows: 30,
          env: server.serverEnv,
        });
        terminals.push(terminal);
        return terminal.pid;
      },
      dispose: async () => {
        for (const terminal of terminals) terminal.kill();
        for (const program of programs.values()) program.dispose();
        server.dispose();
      },
    };
  });
});
