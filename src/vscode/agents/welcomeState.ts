import type { EngineStatus } from '../../core/engine';
import { WelcomeState } from '../manifest';

/** What decides about the text of the empty Agents view. */
export interface WelcomeFacts {
  readonly status: EngineStatus;
  readonly isWindows: boolean;
  readonly isVirtualWorkspace: boolean;
  readonly isTrusted: boolean;
  readonly hasFolder: boolean;
  readonly hasFleetFile: boolean;
}

const blockedTexts: Readonly<Record<string, WelcomeState>> = {
  'tmux.notInstalled': WelcomeState.NoTmux,
  'tmux.tooOld': WelcomeState.OldTmux,
  'tmux.socketFolderUnsafe': WelcomeState.UnsafeFolder,
  'data.folderUnsafe': WelcomeState.UnsafeFolder,
  'data.corrupt': WelcomeState.StoreCorrupt,
  'data.newerSchema': WelcomeState.StoreNewer,
  'data.readOnly': WelcomeState.StoreReadOnly,
  'data.io': WelcomeState.StoreReadOnly,
  'data.networkFileSystem': WelcomeState.NetworkFileSystem,
};

/** Picks the one text that helps most: what can never work here, then what blocks, then what to do first. */
export function welcomeState(facts: WelcomeFacts): WelcomeState {
  if (facts.isWindows) return WelcomeState.Windows;
  if (facts.isVirtualWorkspace) return WelcomeState.VirtualWorkspace;
  switch (facts.status.kind) {
    case 'stopped':
      return facts.isTrusted ? WelcomeState.Starting : WelcomeState.Untrusted;
    case 'restricted':
      return WelcomeState.Untrusted;
    case 'starting':
      return WelcomeState.Starting;
    case 'blocked':
      return blockedTexts[facts.status.code] ?? WelcomeState.Blocked;
    case 'following':
      if (!facts.status.isOwnerResponding) return WelcomeState.OwnerHung;
      return facts.status.isConnected ? WelcomeState.Connected : WelcomeState.Elsewhere;
    case 'ready':
      if (!facts.isTrusted) return WelcomeState.Untrusted;
      if (facts.status.isTmuxLost)
        return facts.status.tmuxLoss?.hasRun === false ? WelcomeState.TmuxNotStarting : WelcomeState.TmuxLost;
      if (facts.status.isReadOnly) return WelcomeState.ReadOnly;
      if (!facts.hasFolder) return WelcomeState.NoFolder;
      return facts.hasFleetFile ? WelcomeState.EmptyFleet : WelcomeState.Empty;
  }
}
