import { AgentError } from './agents/agentErrors';
import type { Disposable } from './base/disposable';
import type { Engine } from './engine';

/** Types of one list are no more than this. */
export const MAX_LISTED_TYPES = 50;

/** What is wrong with one entry; `path` begins at the list: `[2].label`. */
export interface ListedTypeProblem {
  readonly path: string;
  readonly message: string;
}

/**
 * Keeps the agent types of a list of manifests registered, as the list is now: what stands in it as before stays, what is new or changed is
 * registered, what is gone is taken away. An entry with mistakes is left out and told; it does not keep the others from it.
 */
export class ListedAgentTypes implements Disposable {
  /** By the manifest as JSON. */
  readonly #registered = new Map<string, Disposable>();

  constructor(private readonly engine: Pick<Engine, 'registerAgentType'>) {}

  /** Returns what is wrong with the list. Never throws for an entry. */
  set(manifests: readonly unknown[]): readonly ListedTypeProblem[] {
    const wanted = manifests.slice(0, MAX_LISTED_TYPES).map((manifest) => JSON.stringify(manifest));
    for (const [text, registration] of [...this.#registered]) {
      if (wanted.includes(text)) continue;
      this.#registered.delete(text);
      registration.dispose();
    }
    const problems = wanted.flatMap((text, index) => this.#add(text, index, wanted.indexOf(text) < index));
    if (manifests.length > MAX_LISTED_TYPES)
      problems.push({ path: '', message: `has more than ${MAX_LISTED_TYPES} types: the others are left out` });
    return problems;
  }

  dispose(): void {
    for (const registration of this.#registered.values()) registration.dispose();
    this.#registered.clear();
  }

  #add(text: string, index: number, isRepeated: boolean): readonly ListedTypeProblem[] {
    const at = `[${index}]`;
    if (isRepeated) return [{ path: at, message: 'stands there twice' }];
    if (this.#registered.has(text)) return [];
    try {
      this.#registered.set(text, this.engine.registerAgentType(JSON.parse(text)));
      return [];
    } catch (error) {
      if (!AgentError.is(error, 'agent.typeInvalid')) throw error;
      return error.problems.map(({ path, message }) => ({ path: path === '' ? at : pathBelow(at, path), message }));
    }
  }
}

/** `[2]` and `screenRules[0].pattern` → `[2].screenRules[0].pattern`. */
function pathBelow(at: string, path: string): string {
  return path.startsWith('[') ? `${at}${path}` : `${at}.${path}`;
}
