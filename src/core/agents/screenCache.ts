import type { SettledScreen } from './agentHost';
import type { AgentType } from './agentType';
import { compileScreen, type CompiledScreen, type Reading, readScreen } from './screenReader';

/** Reads screens by the rules of their types; each type is compiled once. */
export class ScreenCache {
  readonly #compiled = new WeakMap<AgentType, CompiledScreen>();

  constructor(private readonly shellName: () => string) {}

  read(type: AgentType, screen: SettledScreen): Reading {
    const compiled = this.#compiled.get(type) ?? compileScreen(type, this.shellName());
    this.#compiled.set(type, compiled);
    return readScreen(compiled, screen);
  }
}
