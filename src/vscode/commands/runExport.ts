import type { Engine, ExportReport, ExportRequest } from '../../core/engine';
import type { WindowPort } from '../notices/windowPort';
import { runCancellable } from './runCancellable';

export interface ExportParts {
  readonly engine: Pick<Engine, 'exportData'>;
  readonly window: Pick<WindowPort, 'progress' | 'show'>;
}

/** Undefined when the person cancelled it, which was told then. @throws as `Engine.exportData` */
export function runExport({ engine, window }: ExportParts, request: ExportRequest): Promise<ExportReport | undefined> {
  return runCancellable(window, {
    title: 'Exporting data',
    afterCancel: 'No file was written.',
    words: ({ done }) => `${done} records`,
    run: (tell, signal) => engine.exportData(request, tell, signal),
  });
}
