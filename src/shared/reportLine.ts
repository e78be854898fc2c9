import { fitPayload } from './fitPayload';
import { GATEWAY_LIMITS, GATEWAY_PROTOCOL, RpcStatus } from './gatewayProtocol';

/** Around the payload, of the frame and of its levels. */
const FRAME_BYTES = 2 * 1024;
const FRAME_LEVELS = 2;

/** One event of an agent's program, as its programs tell it. */
export interface Report {
  /** 1–80 characters of [A-Za-z0-9._:-]. */
  readonly event: string;
  readonly payload: unknown;
  /** Epoch ms. */
  readonly sentAtMs: number;
}

/** What became of a report: the engine has it (and may have answered), or no engine could take it. */
export type Outcome = { readonly output?: string } | 'notTaken';

/** What is needed of `net.Socket`: every program that reports hands in its own. */
export interface ReportSocket {
  readonly destroyed: boolean;
  setEncoding(encoding: 'utf8'): unknown;
  on(event: 'data', listener: (text: string) => void): unknown;
  on(event: 'error' | 'close', listener: () => void): unknown;
  write(text: string, onWritten: () => void): unknown;
  destroy(): unknown;
}

/** Where the engine listens, and the token of this run. */
export interface EnginePlace {
  readonly socket: string;
  readonly token: string;
}

/** A program that reports. */
export interface Reporter {
  /** Of `hello`: for people and logs. */
  readonly client: string;
  /** As the files say now; undefined: no engine, or no token. Never throws. */
  readonly findEngine: () => EnginePlace | undefined;
  readonly connect: (socketPath: string) => ReportSocket;
}

/** How long an engine is waited for; undefined: until it answers, or goes. */
export interface Patience {
  /** For the answer to `hello`, which shows that an engine works. */
  readonly helloMs: number | undefined;
  /** For the answer to the report, from then on. */
  readonly answerMs: number | undefined;
}

/** A connection on which nothing was said yet. */
export interface ReportLine {
  readonly socket: ReportSocket;
  readonly token: string;
}

/** Begins to connect. Undefined without an engine or a token, or with none but `refused`. */
export function openReportLine({ findEngine, connect }: Reporter, refused?: string): ReportLine | undefined {
  const place = findEngine();
  if (!place || place.token === refused) return undefined;
  const socket = connect(place.socket);
  socket.on('error', () => undefined); // 'close' follows
  return { socket, token: place.token };
}

/**
 * Tells the engine one report over a line that was just opened; once more over another one when the token does not count: it may have been
 * replaced a moment ago, and then its successor is in the file. Never rejects. `signal` gives up; then nobody has it.
 */
export async function tellEngine(
  reporter: Reporter,
  line: ReportLine | undefined,
  report: Report,
  patience: Patience,
  signal?: AbortSignal,
): Promise<Outcome> {
  const first = line ? await exchange(reporter.client, line, report, patience, signal) : 'notTaken';
  if (first !== 'refused') return first;
  const next = openReportLine(reporter, line?.token);
  const second = next ? await exchange(reporter.client, next, report, patience, signal) : 'notTaken';
  return second === 'refused' ? 'notTaken' : second;
}

/** Hello and report in one write; the answers in their order. `refused`: the token does not count. */
function exchange(
  client: string,
  { socket, token }: ReportLine,
  report: Report,
  { helloMs, answerMs }: Patience,
  signal: AbortSignal | undefined,
): Promise<Outcome | 'refused'> {
  return new Promise((resolve) => {
    let isWritten = false;
    let wait = 0;
    let timer: NodeJS.Timeout | undefined;
    const finish = (outcome: Outcome | 'refused'): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(outcome);
    };
    const onAbort = (): void => finish('notTaken');
    // Once it was written the engine finds it, however late it comes to read: it is not spooled as well. A process that was not run for
    // that long looks first at what has come meanwhile.
    const waitFor = (ms: number | undefined): void => {
      clearTimeout(timer);
      const own = (wait += 1);
      const onTime = (): unknown => setImmediate(() => own === wait && finish(isWritten ? {} : 'notTaken'));
      timer = ms === undefined ? undefined : setTimeout(onTime, ms).unref();
    };
    let unfinished = '';
    const onText = (text: string): void => {
      const lines = (unfinished + text).split('\n');
      unfinished = lines.pop() ?? '';
      if (unfinished.length > GATEWAY_LIMITS.frameBytes) finish({});
      for (const each of lines) if (!socket.destroyed) onLine(each);
    };
    const onLine = (text: string): void => {
      const { id, result, error } = parse(text);
      if (error !== undefined) finish(afterRefusal(fieldsOf(fieldsOf(error)['data'])['status']));
      else if (id === 1) waitFor(answerMs);
      else if (id === 2) finish(answerOf(result));
    };
    if (socket.destroyed || signal?.aborted) return finish('notTaken');
    signal?.addEventListener('abort', onAbort, { once: true });
    waitFor(helloMs);
    socket.setEncoding('utf8');
    socket.on('data', onText);
    socket.on('close', onAbort);
    socket.write(framesOf(client, token, report), () => (isWritten = true));
  });
}

function answerOf(result: unknown): Outcome {
  const { output } = fieldsOf(result);
  return typeof output === 'string' ? { output } : {};
}

/** What is about this moment is kept for the engine to find; what it never takes, is not. */
function afterRefusal(status: unknown): Outcome | 'refused' {
  if (status === RpcStatus.Unauthenticated) return 'refused';
  return status === RpcStatus.Unavailable || status === RpcStatus.ResourceExhausted ? 'notTaken' : {};
}

function framesOf(client: string, token: string, { event, payload, sentAtMs }: Report): string {
  const params = { protocol: GATEWAY_PROTOCOL, client, token };
  const hello = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'hello', params });
  const fitted = fitPayload(payload, GATEWAY_LIMITS.frameBytes - FRAME_BYTES, GATEWAY_LIMITS.jsonDepth - FRAME_LEVELS);
  const told = `{"event":${JSON.stringify(event)},"sentAtMs":${sentAtMs},"payload":${fitted}}`;
  return `${hello}\n{"jsonrpc":"2.0","id":2,"method":"hook.report","params":${told}}\n`;
}

function parse(line: string): Fields {
  try {
    return fieldsOf(JSON.parse(line));
  } catch {
    return { error: {} }; // not of our protocol
  }
}

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of what came from outside; none when it is no object. Each is checked where it is used. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
