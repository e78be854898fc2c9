import type { AgentId } from '../../core/agents/agent';
import { AgentError } from '../../core/agents/agentErrors';
import type { PermissionAnswer, PermissionRequest } from '../../core/agents/permissionRequest';
import type { Engine } from '../../core/engine';
import { messageForCode } from '../errorMessages';
import { CommandId } from '../manifest';
import type { DocumentsPort, WindowPort } from '../notices/windowPort';
import { fitsInDialog, isAllowable, isDeniable, requestDocument, requestText, requestTitle } from './requestText';

const APPROVE = 'Approve';
const DENY = 'Deny';
const DENY_WITH_REASON = 'Deny with Reason…';
const ATTACH = 'Attach';
const REVIEW = 'Review…';

type Button = typeof APPROVE | typeof DENY | typeof DENY_WITH_REASON | typeof ATTACH;

export interface ApprovalDeskParts {
  readonly engine: Engine;
  readonly window: WindowPort;
  readonly documents: DocumentsPort;
}

/**
 * A person's answers to what agents ask. Nothing is allowed before the complete request was shown (S24), and an answer is bound to
 * the very request that was shown: when another one is open by then, nothing is answered and that is said.
 */
export class ApprovalDesk {
  constructor(private readonly parts: ApprovalDeskParts) {}

  /** Shows the request with every answer that can be given from here; what Enter chooses answers nothing. */
  async review(id: AgentId): Promise<void> {
    await this.#ask(id, (request) => [ATTACH, ...approving(request), ...denying(request)]);
  }

  /** Shows the request and asks whether it is allowed. */
  async approve(id: AgentId): Promise<void> {
    await this.#ask(id, (request) => [...approving(request), ATTACH]);
  }

  /** A refusal harms nothing, so it is not asked about. */
  async deny(id: AgentId): Promise<void> {
    const request = this.#request(id);
    if (!request) return this.#sayGone(id);
    if (!isDeniable(request)) return this.#ask(id, () => [ATTACH]);
    await this.answer(request, { kind: 'deny' });
  }

  /** A refusal that says why; the reason reaches the model. */
  async denyWithReason(id: AgentId): Promise<void> {
    const request = this.#request(id);
    if (!request) return this.#sayGone(id);
    if (!isDeniable(request) || !request.canGiveReason) return this.deny(id);
    await this.#askReason(request);
  }

  /** Gives an answer to the very request that the person was shown as a whole; when that one is over, nothing is answered and that is said. */
  async answer(request: PermissionRequest, answer: PermissionAnswer): Promise<void> {
    try {
      await this.parts.engine.answerRequest(request.agentId, request.id, answer);
    } catch (error) {
      if (AgentError.is(error, 'agent.requestGone')) return this.#sayGone(request.agentId);
      if (AgentError.is(error, 'agent.cannotAnswer')) return this.#offerTerminal(request.agentId);
      throw error;
    }
  }

  async #ask(id: AgentId, buttonsFor: (request: PermissionRequest) => readonly Button[]): Promise<void> {
    const request = this.#request(id);
    if (!request) return this.#sayGone(id);
    const buttons = buttonsFor(request);
    const name = this.#name(id);
    const question = `${name}: ${requestTitle(request)}`;
    const picked = fitsInDialog(name, request)
      ? await this.parts.window.confirm(question, requestText(name, request), buttons)
      : await this.#askAboveDocument(request, question, buttons);
    if (picked === APPROVE) await this.answer(request, { kind: 'allow' });
    if (picked === DENY) await this.answer(request, { kind: 'deny' });
    if (picked === DENY_WITH_REASON) await this.#askReason(request);
    if (picked === ATTACH) this.parts.window.run(CommandId.AttachAgent, id);
  }

  /** What is too long for a dialog stays readable in a document while the question waits above it. The first choice changes nothing. */
  async #askAboveDocument(
    request: PermissionRequest,
    question: string,
    buttons: readonly Button[],
  ): Promise<string | undefined> {
    const { window, documents } = this.parts;
    const fileName = `Request of ${request.agentId}.txt`;
    await documents.show(fileName, requestDocument(this.#name(request.agentId), request));
    const choices = [
      { id: 'later', label: 'Decide Later', description: 'Answer nothing now' },
      ...buttons.map((button) => ({
        id: button,
        label: button,
        ...(button === APPROVE ? { description: 'I have read the document below' } : {}),
      })),
    ];
    const picked = await window.choose(question, 'Read the document before you choose', choices);
    await documents.close(fileName);
    return picked;
  }

  async #askReason(request: PermissionRequest): Promise<void> {
    const reason = await this.parts.window.askText({
      title: `Deny: ${requestTitle(request)}`,
      prompt: 'Why not, or what to do instead. The agent reads it.',
      placeholder: 'Use the test database instead',
    });
    if (reason === undefined) return;
    await this.answer(request, reason.trim() === '' ? { kind: 'deny' } : { kind: 'deny', reason: reason.trim() });
  }

  /** The question that was meant is over; another one may be open now. */
  async #sayGone(id: AgentId): Promise<void> {
    const { window } = this.parts;
    const isAsking = this.#request(id) !== undefined;
    const text = isAsking
      ? `${this.#name(id)}: It asks something else now. Nothing was answered.`
      : `${this.#name(id)} asks nothing any more. Nothing was answered.`;
    const answer = await window.show('warning', text, isAsking ? [REVIEW] : []);
    if (answer === REVIEW) await this.review(id);
  }

  async #offerTerminal(id: AgentId): Promise<void> {
    const text = `${this.#name(id)}: ${messageForCode('agent.cannotAnswer').text}`;
    if ((await this.parts.window.show('warning', text, [ATTACH])) === ATTACH)
      this.parts.window.run(CommandId.AttachAgent, id);
  }

  #request(id: AgentId): PermissionRequest | undefined {
    return this.parts.engine.agent(id)?.request;
  }

  #name(id: AgentId): string {
    return this.parts.engine.agent(id)?.name ?? id;
  }
}

function approving(request: PermissionRequest): readonly Button[] {
  return isAllowable(request) ? [APPROVE] : [];
}

function denying(request: PermissionRequest): readonly Button[] {
  if (!isDeniable(request)) return [];
  return request.canGiveReason ? [DENY, DENY_WITH_REASON] : [DENY];
}
