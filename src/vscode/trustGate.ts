import type { Engine } from '../core/engine';
import { overlaidEngine } from './overlaidEngine';
import { WindowError } from './windowErrors';

/** Whether the person trusts the workspace of this window. Trust is only ever gained, never lost, while it is open. */
export type IsTrusted = () => boolean;

/**
 * The engine for everything in this window: while the workspace is not trusted (Restricted Mode) whatever starts a
 * program or types into one is refused here, however it was asked for. Watching and ending stay possible.
 */
export function gateByTrust(engine: Engine, isTrusted: IsTrusted): Engine {
  const demand = (): void => demandTrust(isTrusted);
  return overlaidEngine(engine, {
    startAgent: async (...args) => (demand(), engine.startAgent(...args)),
    startExisting: async (...args) => (demand(), engine.startExisting(...args)),
    restartAgent: async (...args) => (demand(), engine.restartAgent(...args)),
    resumeAgent: async (...args) => (demand(), engine.resumeAgent(...args)),
    releaseQuarantine: async (...args) => (demand(), engine.releaseQuarantine(...args)),
    resumeSession: async (...args) => (demand(), engine.resumeSession(...args)),
    resumeFleet: async (...args) => (demand(), engine.resumeFleet(...args)),
    sendPrompt: async (...args) => (demand(), engine.sendPrompt(...args)),
    resendPrompt: async (...args) => (demand(), engine.resendPrompt(...args)),
    answerRequest: async (...args) => (demand(), engine.answerRequest(...args)),
    doctor: async (...args) => (demand(), engine.doctor(...args)),
    approveFleet: async (...args) => (demand(), engine.approveFleet(...args)),
    startFleet: async (...args) => (demand(), engine.startFleet(...args)),
    importData: async (...args) => (demand(), engine.importData(...args)),
    registerAgentType: (...args) => (demand(), engine.registerAgentType(...args)),
    registerValidationRule: (...args) => (demand(), engine.registerValidationRule(...args)),
    registerTransformation: (...args) => (demand(), engine.registerTransformation(...args)),
  });
}

/** @throws {WindowError} window.untrusted – for what asks the person many things before it reaches the engine */
export function demandTrust(isTrusted: IsTrusted): void {
  if (!isTrusted()) throw new WindowError('window.untrusted', 'the workspace is not trusted');
}
