import type { PipelineProblemCode } from './processingErrors';

/** Notes one mistake at a JSON pointer; always undefined, so that a reader can return it. */
export type Report = (at: string, code: PipelineProblemCode, message: string) => undefined;

/** The JSON pointer of a property. */
export function child(at: string, name: string): string {
  return `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
