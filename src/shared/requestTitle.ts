/** What of a request is needed for {@link subjectLine}. Texts are untrusted. */
export interface TitledRequest {
  readonly title: string;
  readonly detail: string;
  /** `screen`: its texts are those of a dialog. */
  readonly source?: string;
}

/** Of a dialog whose first line only asks whether: the line after it, which says what; else nothing. */
export function subjectLine({ source, title, detail }: TitledRequest): string {
  const [first, second = ''] = detail.split('\n').filter((line) => line.trim() !== '');
  const isOption = /^\s*(?:[❯>›]\s*)?\d+[.)]\s/.test(second);
  return source === 'screen' && title.endsWith('?') && first?.trim() === title && !isOption ? second : '';
}

/** One line that says what is asked; its texts are not cleaned. */
export function requestLine(request: TitledRequest): string {
  return `${request.title} ${subjectLine(request)}`.trim();
}
