/** Publisher and name of the extension, as VS Code calls its storage. */
const EXTENSION_ID = 'core-orchestrator.core-orchestrator';
const EDITORS = ['Code', 'Code - Insiders', 'VSCodium', 'Cursor', 'Windsurf'];
const SERVERS = [
  '.vscode-server',
  '.vscode-server-insiders',
  '.vscodium-server',
  '.cursor-server',
  '.windsurf-server',
  '.vscode-remote',
];

/** Names the storage folder, above all other ways to find it. */
export const STORAGE_VARIABLE = 'CORE_ORCHESTRATOR_STORAGE';

/**
 * Where the extension may keep its data on this machine, likeliest first: the global storage of the editors that follow VS Code's
 * layout. Whoever runs outside of an editor must use the same folder, or two engines would manage one workspace.
 */
export function storageCandidates(
  platform: string,
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): readonly string[] {
  const config =
    platform === 'darwin' ? `${home}/Library/Application Support` : (env['XDG_CONFIG_HOME'] ?? `${home}/.config`);
  const desktop = EDITORS.map((editor) => `${config}/${editor}/User/globalStorage/${EXTENSION_ID}`);
  const servers = SERVERS.map((folder) => `${home}/${folder}/data/User/globalStorage/${EXTENSION_ID}`);
  return [...desktop, ...servers, ownStorage(env, home)];
}

/** Where no editor is installed. */
export function ownStorage(env: Readonly<Record<string, string | undefined>>, home: string): string {
  return `${env['XDG_DATA_HOME'] ?? `${home}/.local/share`}/core-orchestrator`;
}
