import type { Clock } from '../../base/clock';
import { ignore, type Logger } from '../../base/log';
import type { AgentHost } from '../agentHost';
import type { AgentRegistry } from '../agentRegistry';
import { step } from './deliveryRecord';
import type { ScreenJudge } from './deliveryScreen';
import { comparablePrompt } from './preparePrompt';
import type { DeliveryStore, PromptDelivery } from './promptDelivery';

/** What an owner that ended in the middle has left. Nothing is typed and no key is pressed here. */
export class Recovery {
  constructor(
    private readonly ports: {
      readonly host: AgentHost;
      readonly clock: Clock;
      readonly log: Logger;
      readonly registry: AgentRegistry;
      readonly deliveries: DeliveryStore;
    },
    private readonly judge: ScreenJudge,
    private readonly keep: (delivery: PromptDelivery) => Promise<void>,
  ) {}

  /** @throws what the store throws */
  async run(): Promise<{ readonly queued: readonly PromptDelivery[]; readonly unknown: readonly PromptDelivery[] }> {
    const { registry, clock, deliveries } = this.ports;
    const queued: PromptDelivery[] = [];
    const unknown: PromptDelivery[] = [];
    for (const delivery of await deliveries.loadOpen()) {
      if (delivery.state === 'delivery_unknown') unknown.push(delivery);
      else if (delivery.state !== 'queued') unknown.push(await this.#interrupted(delivery));
      else if (registry.find(delivery.agentId)) queued.push(delivery);
      else await this.keep(step(delivery, 'canceled', clock.nowMs(), { detail: 'the agent was removed' }));
    }
    return { queued, unknown };
  }

  /** It may or may not have arrived; what the box shows is said, for the person who decides. */
  async #interrupted(delivery: PromptDelivery): Promise<PromptDelivery> {
    const detail = `the engine ended while it was ${delivery.state}; ${await this.#whatIsLeft(delivery)}`;
    const next = step(delivery, 'delivery_unknown', this.ports.clock.nowMs(), {
      reason: 'interrupted_by_crash',
      detail,
    });
    await this.keep(next);
    return next;
  }

  async #whatIsLeft(delivery: PromptDelivery): Promise<string> {
    const { registry, host, clock, log } = this.ports;
    const agent = registry.find(delivery.agentId);
    if (!agent?.type || agent.record.generation !== delivery.generation || agent.record.lifecycle !== 'running')
      return 'the run that it was typed into is over';
    try {
      const { box } = this.judge.judge(agent.type, await host.capture(agent.id), clock.monotonicMs());
      if (box.kind === 'empty') return 'the input box is empty now';
      if (box.kind !== 'draft') return 'the input box cannot be seen now';
      const drawn = comparablePrompt(box.text);
      const isOurs = drawn !== '' && comparablePrompt(delivery.prepared).includes(drawn.slice(0, 40));
      return isOurs ? 'the input box holds this text, not submitted' : 'the input box holds some text, maybe this one';
    } catch (error) {
      ignore(log, error, 'the detail says so');
      return 'the screen could not be read';
    }
  }
}
