import type { CommandHandlers } from '../commands/registerCommands';
import { CommandId } from '../manifest';
import type { FleetController } from './fleetController';

/** Commands about the fleet file and about all agents. */
export function fleetCommands(fleet: FleetController): CommandHandlers {
  return {
    [CommandId.StartFleet]: () => fleet.start(),
    [CommandId.ResumeFleet]: () => fleet.resume(),
    [CommandId.StopAll]: () => fleet.stopAll(),
    [CommandId.OpenFleetFile]: () => fleet.openFile(),
    [CommandId.CreateFleetFile]: () => fleet.createFile(),
  };
}
