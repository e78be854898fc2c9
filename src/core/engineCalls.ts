import type { Engine } from './engine';

/**
 * The part of the engine that acts on agents and reads about them: done by the owner's session (`ownerCalls.ts`), or by the
 * owner's gateway on behalf of a window that follows.
 */
export type EngineCalls = Pick<
  Engine,
  | 'startAgent'
  | 'startExisting'
  | 'resumeSession'
  | 'resumeFleet'
  | 'stopAgent'
  | 'restartAgent'
  | 'pauseAgent'
  | 'resumeAgent'
  | 'releaseQuarantine'
  | 'renameAgent'
  | 'removeAgent'
  | 'sendPrompt'
  | 'receipts'
  | 'cancelPrompt'
  | 'settleDelivery'
  | 'resendPrompt'
  | 'answerRequest'
  | 'explain'
  | 'screen'
  | 'doctor'
  | 'planFleet'
  | 'approveFleet'
  | 'startFleet'
  | 'stopAll'
  | 'history'
  | 'exportData'
  | 'importData'
  | 'searchRecords'
  | 'dataStatus'
  | 'checkData'
  | 'pipelines'
  | 'runPipeline'
  | 'rejected'
  | 'removePipeline'
  | 'checkIntegrity'
  | 'fixIntegrity'
  | 'backUpData'
  | 'restoreData'
  | 'compactData'
>;
