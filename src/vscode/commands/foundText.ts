import type { AgentView, FoundRecord } from '../../core/engine';
import { deliveryWords } from '../../shared/receiptWords';
import { stateWords } from '../agents/agentText';
import { localTime, zoneName } from '../documents/localTime';

/** What a list says of something that was found. Untrusted plain text. */
export interface FoundText {
  readonly label: string;
  /** What became of it comes first: a narrow list shows only the beginning. */
  readonly description: string;
  readonly detail: string;
}

/** The lines of an approved command that tell a person what would run, as `approvalText` (src/core/agents/approval.ts) writes them. */
const TOLD = ['command', 'first prompt', 'folder'] as const;

/** @param agent the one that it is about, while it is there */
export function foundText(record: FoundRecord, agent: AgentView | undefined): FoundText {
  const { kind, about, atMs, snippet } = record;
  const time = localTime(atMs).slice(0, 16);
  switch (kind) {
    case 'prompt':
      return {
        label: nameOf(record, agent),
        description: `${deliveryWords(about)} · prompt of ${time}`,
        detail: snippet.text,
      };
    case 'agent':
      return {
        label: agent?.name ?? about,
        description: `${agent ? stateWords(agent) : 'removed'} · agent made ${time}`,
        detail: snippet.text === about ? '' : snippet.text,
      };
    case 'approval':
      return isAnswer(record)
        ? { label: nameOf(record, agent), description: `${about} · request of ${time}`, detail: snippet.text }
        : { label: approvedName(record), description: `approved command · ${time}`, detail: approvedLine(record) };
    case 'history':
      return { label: nameOf(record, agent), description: `${about} · history of ${time}`, detail: snippet.text };
  }
}

/** What is shown of it when it is chosen: a name for the document, and its text. */
export function foundDocument(
  record: FoundRecord,
  agent: AgentView | undefined,
): { readonly fileName: string; readonly text: string } {
  const { kind, about, atMs, text, isTextCut } = record;
  const time = `${localTime(atMs).slice(0, 19)} (${zoneName()})`;
  const rest = isTextCut ? '\n\n(The rest is left out here; Export Data writes all of it.)' : '';
  const shown = (fileName: string, head: string): { readonly fileName: string; readonly text: string } => ({
    fileName,
    text: `${head}\n\n${text}${rest}\n`,
  });
  switch (kind) {
    case 'prompt': {
      const name = nameOf(record, agent);
      return shown(`Prompt to ${name}.txt`, `Prompt to ${name} of ${time}: ${deliveryWords(about)}`);
    }
    case 'agent':
      return shown(`Agent ${about}.txt`, `Agent ${about}, made ${time}${agent ? '' : ', is not there any more'}`);
    case 'approval':
      if (isAnswer(record)) {
        const name = nameOf(record, agent);
        return shown(`Request of ${name}.txt`, `Request of ${name}, ${time}: ${about}`);
      }
      return shown(
        'Approved Command.txt',
        `Approved ${time}, as it was shown; secrets and values of environment variables are left out here:`,
      );
    case 'history': {
      const name = nameOf(record, agent);
      return shown(`History of ${name}.txt`, `History of ${name}, ${time}: ${about}`);
    }
  }
}

/** What an agent asked and was answered; else what a person approved to run, which is about no agent yet. */
function isAnswer({ agentId }: FoundRecord): boolean {
  return agentId !== undefined;
}

function nameOf({ agentId, about }: FoundRecord, agent: AgentView | undefined): string {
  return agent?.name ?? (agentId === undefined ? about : `${agentId} (removed)`);
}

/** `Builder (Claude Code)`: the first line of what was approved. */
function approvedName({ text }: FoundRecord): string {
  return text.split('\n', 1)[0]?.trim() || 'Approved command';
}

/** The line in which a person finds what was looked for; where that is not among those that people read, the command. */
function approvedLine({ text, snippet }: FoundRecord): string {
  const lines = text.split('\n').map((line) => line.trim());
  const told = TOLD.flatMap((name) => lines.filter((line) => line.startsWith(`${name}: `)));
  const words = snippet.marks.map(([start, end]) => snippet.text.slice(start, end).toLowerCase());
  const found = told.find((line) => words.some((word) => line.toLowerCase().includes(word)));
  const shown = found ?? told[0];
  if (shown === undefined) return snippet.text;
  return shown.startsWith('command: ') ? shown.slice('command: '.length) : shown;
}
