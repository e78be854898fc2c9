/** The files through which agents reach us: in a stable 0700 folder, so that an update of the extension cuts off no living agent. */
export interface LaunchTools {
  /** Absolute folder that holds `orc` and what belongs to it; first on every agent's PATH. */
  readonly folder: string;
  /** Absolute path of `orc`. */
  readonly orc: string;
  /** The gateway's pointer file of this workspace (see `src/shared/gatewayProtocol.ts`). */
  readonly pointerFile: string;
}
