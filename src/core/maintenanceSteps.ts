import type { MaintenanceOptions, MaintenanceStep } from './data/durableStore';
import type { FleetStep } from './engine';

/** How calls about the store report their steps: the phase is the name. */
export function optionsOf(onProgress: (step: FleetStep) => void, signal: AbortSignal): MaintenanceOptions {
  const onStep = ({ phase, done, total }: MaintenanceStep): void => onProgress({ name: phase, done, total });
  return { signal, onProgress: onStep };
}
