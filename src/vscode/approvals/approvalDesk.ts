import type { AgentId } from '../../core/agents/agent';
import { AgentError } from '../../core/agents/agentErrors';
import type { AnswerDoor } from '../../core/agents/answeredRequest';
import type { PermissionAnswer, PermissionRequest } from '../../core/agents/permissionRequest';
import type { Clock } from '../../core/base/clock';
import type { AgentView, Engine } from '../../core/engine';
import { COMMAND_TITLES } from '../commandTitles';
import { messageForCode } from '../errorMessages';
import { CommandId } from '../manifest';
import type { DocumentsPort, WindowPort } from '../notices/windowPort';
import {
  fitsInDialog, isAllowable, isDeniable, isDrawn, requestDocument, requestText, requestTitle,
} from './requestText'; // prettier-ignore
import { untilDrawn } from './untilDrawn';

const APPROVE = 'Approve';
const DENY = 'Deny';
const DENY_WITH_REASON = 'Deny with Reason…';
const ATTACH = 'Attach';
const GO_TO_NEXT = 'Go to Next';
const LOOK_AGAIN = 'Look Again';
const REVIEW = 'Review…';
/** Most programs draw their dialog within this time after they have told the question: nothing needs to be said about it. */
const SOON_MS = 400;
/** After this long it is said that there is no dialog yet. */
export const DRAWN_MS = 8_000;

type Button = typeof APPROVE | typeof DENY | typeof DENY_WITH_REASON | typeof ATTACH | typeof LOOK_AGAIN;

export interface ApprovalDeskParts {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly window: WindowPort;
  readonly documents: DocumentsPort;
}

/**
 * A person's answers to what agents ask. Nothing is allowed before the complete request was shown (S24), and an answer is bound to
 * the very request that was shown: when another one is open by then, nothing is answered and that is said. A question that was told
 * before its dialog is drawn is waited for: what is shown then does not change any more.
 */
export class ApprovalDesk {
  constructor(private readonly parts: ApprovalDeskParts) {}

  /** Shows the request with every answer that can be given from here; what Enter chooses answers nothing. */
  async review(id: AgentId): Promise<void> {
    await this.#ask(id, (request) => [ATTACH, ...approving(request), ...denying(request)]);
  }

  /** Shows the request and asks whether it is allowed; what Enter chooses allows nothing. */
  async approve(id: AgentId): Promise<void> {
    await this.#ask(id, (request) => [ATTACH, ...approving(request)]);
  }

  /** A refusal harms nothing, so it is not asked about. */
  async deny(id: AgentId): Promise<void> {
    const request = await this.#meant(id);
    if (!request) return;
    if (!isDeniable(request)) return this.#ask(id, () => [ATTACH]);
    await this.answer(request, { kind: 'deny' });
  }

  /** A refusal that says why; the reason reaches the model. */
  async denyWithReason(id: AgentId): Promise<void> {
    const request = await this.#meant(id);
    if (!request) return;
    if (!isDeniable(request) || !request.canGiveReason) return this.deny(id);
    await this.#askReason(request);
  }

  /** Nothing that is asked can be answered in the way of this command: leads to where it can. `agents` ask something, at least one. */
  async sayOthers(title: string, agents: readonly AgentView[]): Promise<void> {
    const { window } = this.parts;
    const [first] = agents;
    const one = agents.length === 1 ? first : undefined;
    const isQuestion = agents.every(({ request }) => request?.kind === 'question');
    const who = one ? `${one.name} asks` : `${agents.length} agents ask`;
    const what = isQuestion
      ? `No permission request is open. ${who} ${one ? 'a question' : 'questions'}`
      : `No request can be answered like this from here. ${who}`;
    const text = `${title}: ${what}: answer in the terminal.`;
    const button = one ? ATTACH : GO_TO_NEXT;
    if ((await window.show('information', text, [button])) !== button) return;
    if (one) window.run(CommandId.AttachAgent, one.id);
    else window.run(CommandId.GoToNextWaitingAgent);
  }

  /** What is asked can be denied, but not with a reason: leads to the plain refusal. `agents` ask such things, at least one. */
  async sayNoReason(title: string, agents: readonly AgentView[]): Promise<void> {
    const { window } = this.parts;
    const [first] = agents;
    const one = agents.length === 1 ? first : undefined;
    const deny = COMMAND_TITLES[CommandId.DenyRequest];
    const who = one ? `${one.name} asks` : `${agents.length} agents ask`;
    const text = `${title}: No request takes a reason. ${who}: ${deny} works without one.`;
    if ((await window.show('information', text, [deny])) !== deny) return;
    window.run(CommandId.DenyRequest, ...(one ? [one.id] : []));
  }

  /** Gives an answer to the very request that the person was shown as a whole; when that one is over, nothing is answered and that is said. */
  async answer(request: PermissionRequest, answer: PermissionAnswer, via: AnswerDoor = 'window'): Promise<void> {
    try {
      await this.parts.engine.answerRequest(request.agentId, request.id, answer, via);
    } catch (error) {
      if (AgentError.is(error, 'agent.requestGone')) return this.#sayGone(request.agentId);
      if (AgentError.is(error, 'agent.cannotAnswer')) return this.#offerTerminal(request.agentId);
      throw error;
    }
  }

  async #ask(id: AgentId, buttonsFor: (request: PermissionRequest) => readonly Button[]): Promise<void> {
    if (!(await this.#isDrawnOrLate(id))) return;
    const request = this.#request(id);
    if (!request) return this.#sayGone(id);
    const buttons: readonly Button[] = isDrawn(request) ? buttonsFor(request) : [LOOK_AGAIN, ATTACH];
    const name = this.#name(id);
    const question = `${name}: ${requestTitle(request)}`;
    const picked = fitsInDialog(name, request)
      ? await this.parts.window.confirm(question, requestText(name, request), buttons)
      : await this.#askAboveDocument(request, question, buttons);
    if (picked === APPROVE) await this.answer(request, { kind: 'allow' });
    if (picked === DENY) await this.answer(request, { kind: 'deny' });
    if (picked === DENY_WITH_REASON) await this.#askReason(request);
    if (picked === ATTACH) this.parts.window.run(CommandId.AttachAgent, id);
    if (picked === LOOK_AGAIN) await this.#ask(id, buttonsFor);
  }

  /** The request that was open when the person chose to answer it, once it can be answered. Says so when it is over by then. */
  async #meant(id: AgentId): Promise<PermissionRequest | undefined> {
    const before = this.#request(id);
    if (before && !(await this.#isDrawnOrLate(id))) return undefined;
    const request = this.#request(id);
    if (before && request?.id === before.id) return request;
    await this.#sayGone(id);
    return undefined;
  }

  /** Waits for the dialog in which an answer is pressed, as long as a person has patience. False: the person has not. */
  async #isDrawnOrLate(id: AgentId): Promise<boolean> {
    const { engine, clock, window } = this.parts;
    const isMissing = (): boolean => {
      const request = this.#request(id);
      return request !== undefined && !isDrawn(request);
    };
    if (isMissing()) await untilDrawn(engine, clock, id, SOON_MS);
    if (!isMissing()) return true;
    return window.progress(`${this.#name(id)}: waiting until its dialog is drawn…`, async (signal) => {
      await untilDrawn(engine, clock, id, DRAWN_MS, signal);
      return !signal.aborted;
    });
  }

  /** What is too long for a dialog stays readable in a document while the question waits above it. The first choice changes nothing. */
  async #askAboveDocument(
    request: PermissionRequest,
    question: string,
    buttons: readonly Button[],
  ): Promise<string | undefined> {
    const { window, documents } = this.parts;
    const fileName = `Request of ${this.#name(request.agentId)}.txt`;
    const choices = [
      { id: 'later', label: 'Decide Later', description: 'Answer nothing now' },
      ...buttons.map((button) => ({
        id: button,
        label: button,
        ...(button === APPROVE ? { description: 'I have read the document below' } : {}),
      })),
    ];
    await documents.show(fileName, requestDocument(this.#name(request.agentId), request, choices.length));
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
    const request = this.#request(id);
    const isLater = request !== undefined && (!isDrawn(request) || isAllowable(request) || isDeniable(request));
    const text = isLater
      ? `${this.#name(id)}: It was not answered: how it can be has changed since it was shown.`
      : `${this.#name(id)}: ${messageForCode('agent.cannotAnswer').text}`;
    const picked = await this.parts.window.show('warning', text, isLater ? [REVIEW, ATTACH] : [ATTACH]);
    if (picked === ATTACH) this.parts.window.run(CommandId.AttachAgent, id);
    if (picked === REVIEW) await this.review(id);
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
