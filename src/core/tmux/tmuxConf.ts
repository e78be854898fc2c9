import { TmuxArgs, type TmuxCommand } from './tmuxArgs';

/** One option of our server: scope as in `set-option`, name, value. */
export interface TmuxOption {
  readonly scope: '-s' | '-g' | '-gw';
  readonly name: string;
  readonly value: string;
}

/**
 * Every option our server differs in. Nothing an agent prints may reach the person's clipboard, titles or terminal
 * (S6): clipboard, passthrough, titles and renames are off. The status line shows the agent's id only.
 */
export const TMUX_OPTIONS: readonly TmuxOption[] = [
  { scope: '-s', name: 'exit-empty', value: 'off' },
  { scope: '-s', name: 'escape-time', value: '10' },
  { scope: '-s', name: 'set-clipboard', value: 'off' },
  { scope: '-s', name: 'default-terminal', value: 'tmux-256color' },
  { scope: '-s', name: 'terminal-features', value: 'xterm*:ccolour:cstyle:focus:RGB' },
  { scope: '-g', name: 'update-environment', value: '' },
  { scope: '-g', name: 'mouse', value: 'on' },
  { scope: '-g', name: 'history-limit', value: '50000' },
  { scope: '-g', name: 'set-titles', value: 'off' },
  { scope: '-g', name: 'detach-on-destroy', value: 'on' },
  { scope: '-g', name: 'visual-activity', value: 'off' },
  { scope: '-g', name: 'status-interval', value: '0' },
  { scope: '-g', name: 'status-left', value: ' #{session_name} ' },
  { scope: '-g', name: 'status-left-length', value: '45' },
  { scope: '-g', name: 'status-right', value: '#{?pane_dead,process ended ,}' },
  { scope: '-g', name: 'status-style', value: 'bg=default,fg=default,dim' },
  { scope: '-gw', name: 'window-status-format', value: '' },
  { scope: '-gw', name: 'window-status-current-format', value: '' },
  { scope: '-gw', name: 'remain-on-exit', value: 'on' },
  { scope: '-gw', name: 'automatic-rename', value: 'off' },
  { scope: '-gw', name: 'allow-rename', value: 'off' },
  { scope: '-gw', name: 'monitor-activity', value: 'off' },
  { scope: '-gw', name: 'window-size', value: 'latest' },
  { scope: '-gw', name: 'aggressive-resize', value: 'off' },
];

/**
 * Options of tmux 3.3: passthrough is off by default, and older servers have none. Without a message in the dead pane its last
 * screen stays as it was (the message scrolls a line away); the status line says it instead.
 */
const NEWER_OPTIONS: readonly TmuxOption[] = [
  { scope: '-gw', name: 'allow-passthrough', value: 'off' },
  { scope: '-gw', name: 'remain-on-exit-format', value: '' },
];

/** The text of our configuration file, for `tmux -f`. The user's own is never read (S21). */
export function tmuxConf(): string {
  const line = ({ scope, name, value }: TmuxOption, quiet: string): string =>
    `set-option ${quiet}${scope} ${name} '${value}'`;
  const lines = [
    ...TMUX_OPTIONS.map((option) => line(option, '')),
    ...NEWER_OPTIONS.map((option) => line(option, '-q ')),
  ];
  return `${lines.join('\n')}\n`;
}

/** The same options as commands, for a server that an earlier version of ours has started. Each may fail alone. */
export function optionCommands(): readonly TmuxCommand[] {
  return [...TMUX_OPTIONS, ...NEWER_OPTIONS].map(({ scope, name, value }) => TmuxArgs.setOption(scope, name, value));
}
