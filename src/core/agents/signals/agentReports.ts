import { type Disposable, DisposableStore, toDisposable } from '../../base/disposable';
import type { Event } from '../../base/event';
import type { AgentRegistry } from '../agentRegistry';
import type { AgentStateManager } from '../agentStateManager';
import type { AllowRule } from '../permissionRequest';
import { ScreenCache } from '../screenCache';
import type { SupervisorPorts } from '../supervisorPorts';
import { UsageMeter } from '../usage';
import type { AgentSignal, HookFact } from './agentSignal';
import { AgentHookIntake } from './hookIntake';
import { AnswerLog } from './answerLog';
import { PermissionDesk, type PermissionDeskParts } from './permissionDesk';

/** What agents' own programs tell: hooks in, and from them questions to people and tokens used. Part of the supervisor. */
export class AgentReports implements Disposable {
  readonly hooks: AgentHookIntake;
  readonly requests: PermissionDesk;
  readonly usage: UsageMeter;
  readonly #answers: AnswerLog;
  readonly #owned = new DisposableStore();

  constructor(
    private readonly parts: SupervisorPorts & { readonly registry: AgentRegistry; readonly state: AgentStateManager },
    signal: (news: AgentSignal) => void,
    allowRules: () => readonly AllowRule[],
  ) {
    const screens = new ScreenCache(() => parts.factory.shellName);
    const activityOf: PermissionDeskParts['activityOf'] = (type, screen) => screens.read(type, screen).activity;
    this.usage = this.#owned.add(new UsageMeter({ ...parts, reader: parts.usageReader }));
    this.#answers = this.#owned.add(new AnswerLog(parts));
    this.requests = this.#owned.add(new PermissionDesk({ ...parts, activityOf, allowRules, answers: this.#answers }));
    this.hooks = this.#owned.add(
      new AgentHookIntake({ ...parts, observer: { signal }, desk: this.requests, usage: this.usage }),
    );
  }

  /** Every fact that a hook told. */
  get onDidHook(): Event<HookFact> {
    const { hooks } = this;
    const { onDidHook: other } = this.parts;
    if (!other) return hooks.onDidReceive;
    return (listener) => {
      const both = [hooks.onDidReceive(listener), other(listener)];
      return toDisposable(() => both.forEach((each) => each.dispose()));
    };
  }

  /** What is not known of an agent, or not possible, in words. */
  degraded(id: string): readonly string[] {
    const agent = this.parts.registry.find(id);
    if (!agent?.type) return ['its type is not known here'];
    return this.parts.factory.degraded(agent.type, { agentId: agent.id, generation: agent.record.generation });
  }

  /** Resolves when what was answered so far was handed to the store. Never rejects. */
  flush(): Promise<void> {
    return this.#answers.flush();
  }

  dispose(): void {
    this.#owned.dispose();
  }
}
