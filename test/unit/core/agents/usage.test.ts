import assert from 'node:assert/strict';
import { readUsageLine, UsageTally } from '../../../../src/core/agents/usageRecords';
import { UsageMeter, type UsageReader } from '../../../../src/core/agents/usage';
import type { Agent } from '../../../../src/core/agents/baseAgent';
import { silentLogger } from '../../../../src/core/base/log';
import { agentId } from '../../../support/builders';
import { ManualClock } from '../../../support/manualClock';

const ID = agentId('reviewer');
const claude = (id: string, input: number) =>
  JSON.stringify({
    type: 'assistant',
    message: {
      id,
      usage: { input_tokens: input, output_tokens: 2, cache_read_input_tokens: 3, cache_creation_input_tokens: 4 },
    },
  });

/** Hands out the lines that were added since, as a file that grows. */
class GrowingFile implements UsageReader {
  readonly paths: string[] = [];
  lines: string[] = [];
  unreadBytes = 0;
  read: UsageReader['read'] = (path, offset) => {
    this.paths.push(path);
    const isReset = offset > this.lines.length;
    const lines = this.lines.slice(isReset ? 0 : offset);
    return Promise.resolve({ lines, nextOffset: this.lines.length, isReset, unreadBytes: this.unreadBytes });
  };
}

function meter(usage: string) {
  const file = new GrowingFile();
  const registry = { onDidRemove: () => ({ dispose: () => undefined }) } as never; // the meter only listens
  const made = new UsageMeter({ registry, reader: file, clock: new ManualClock(), log: silentLogger });
  const agent = { id: ID, type: { usage } } as unknown as Agent; // all that is looked at
  const tell = async (payload: unknown): Promise<void> => {
    made.onHook(agent, payload);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { made, file, tell };
}

describe('usage', () => {
  it('reads the four classes as each program records them', () => {
    const four = (source: 'claude' | 'codex' | 'gemini' | 'opencode', record: unknown) => {
      const count = readUsageLine(source, record);
      return (
        count && [count.inputTokens, count.outputTokens, count.cacheReadTokens, count.cacheWriteTokens, count.costUsd]
      );
    };
    assert.deepEqual(four('claude', JSON.parse(claude('m', 1))), [1, 2, 3, 4, undefined]);
    const total = {
      input_tokens: 100,
      cached_input_tokens: 40,
      cache_write_input_tokens: 5,
      output_tokens: 7,
      reasoning_output_tokens: 3,
    };
    assert.deepEqual(
      four('codex', { type: 'event_msg', payload: { type: 'token_count', info: { total_token_usage: total } } }),
      [60, 7, 40, 5, undefined],
    );
    assert.deepEqual(
      four('gemini', {
        id: 'a',
        type: 'gemini',
        tokens: { input: 10, output: 2, cached: 4, thoughts: 3, tool: 1, total: 16 },
      }),
      [7, 5, 4, 0, undefined],
    );
    assert.deepEqual(
      four('opencode', {
        id: 'a',
        tokens: { input: 9, output: 1, reasoning: 2, cache: { read: 5, write: 6 } },
        cost: 0.5,
      }),
      [9, 3, 5, 6, 0.5],
    );
    for (const source of ['claude', 'codex', 'gemini', 'opencode'] as const)
      for (const record of [
        undefined,
        null,
        7,
        [],
        {},
        { type: 'user' },
        { type: 'gemini', tokens: 1 },
        { message: { id: 'x' }, type: 'assistant' },
      ])
        assert.equal(readUsageLine(source, record), undefined);
    assert.deepEqual(
      four('claude', {
        type: 'assistant',
        message: { id: 'm', usage: { input_tokens: -1, output_tokens: 'x', cache_read_input_tokens: 1e300 } },
      }),
      [0, 0, 0, 0, undefined],
    );
  });

  it('counts each answer once, however often it is recorded', () => {
    const tally = new UsageTally();
    for (let answer = 0; answer < 500; answer++)
      for (let line = 0; line < 3; line++)
        tally.add({
          id: String(answer),
          inputTokens: line + 1,
          outputTokens: 1,
          cacheReadTokens: 0,
          cacheWriteTokens: 0,
        });
    assert.deepEqual([tally.total.inputTokens, tally.total.outputTokens, tally.total.costUsd], [1_500, 500, undefined]);
  });

  it('reads on where it stopped, when a hook names the record', async () => {
    const { made, file, tell } = meter('claude');
    file.lines = [claude('a', 1), 'cut off {', claude('b', 10)];
    assert.equal(made.usage(ID), undefined);
    await tell({ transcript_path: '/home/me/x.jsonl' });
    assert.deepEqual([made.usage(ID)?.inputTokens, made.usage(ID)?.coverage], [11, 'this conversation']);
    file.lines.push(claude('b', 20));
    await tell({ transcript_path: '/home/me/x.jsonl' });
    assert.equal(made.usage(ID)?.inputTokens, 21);
    file.lines = [claude('c', 5)]; // written anew
    await tell({ transcript_path: '/home/me/x.jsonl' });
    assert.equal(made.usage(ID)?.inputTokens, 5);
    await tell({ transcript_path: '/home/me/other.jsonl' });
    assert.equal(made.usage(ID)?.inputTokens, 5);
    assert.deepEqual(new Set(file.paths), new Set(['/home/me/x.jsonl', '/home/me/other.jsonl']));
  });

  it('opens nothing but a record by its absolute path', async () => {
    const { file, tell } = meter('claude');
    for (const path of ['/etc/passwd', 'x.jsonl', '', 7, undefined, '/a\0.jsonl\n'])
      await tell({ transcript_path: path });
    assert.deepEqual(file.paths, []);
  });

  it('counts what opencode tells by events', async () => {
    const { made, tell } = meter('opencode');
    await tell({ id: 'm1', tokens: { input: 8065, output: 20, cache: { read: 0, write: 0 } }, cost: 0.008105 });
    await tell({ id: 'm1', tokens: { input: 8065, output: 20, cache: { read: 0, write: 0 } }, cost: 0.008105 });
    await tell({ sessionID: 'x' });
    assert.deepEqual([made.usage(ID)?.inputTokens, made.usage(ID)?.costUsd], [8065, 0.008105]);
  });

  describe('after the engine has begun anew', () => {
    const agent = (id: string, record: object, usage: string | undefined = 'claude') =>
      ({ id: agentId(id), type: { usage }, record }) as unknown as Agent; // all that is looked at
    const conversation = { sessionId: 's', transcriptPath: '/p/one.jsonl' };

    it('is read once from the record that is known, and read on from there', async () => {
      const { made, file, tell } = meter('claude');
      file.lines = [claude('a', 1), claude('b', 10)];
      await made.readAgain([agent('reviewer', conversation)]);
      assert.deepEqual([made.usage(ID)?.inputTokens, made.usage(ID)?.coverage], [11, 'this conversation']);
      assert.equal(file.paths.length, 1);
      file.lines.push(claude('c', 100));
      await tell({ transcript_path: '/p/one.jsonl' });
      assert.equal(made.usage(ID)?.inputTokens, 111);
    });

    it('is not read where no record of the present conversation is known', async () => {
      const { made, file } = meter('claude');
      file.lines = [claude('a', 1)];
      await made.readAgain([
        agent('reviewer', { sessionId: 's' }),
        agent('second', { transcriptPath: '/p/one.jsonl' }),
        agent('third', { ...conversation, transcriptPath: '/etc/passwd' }),
        { ...agent('fourth', conversation), type: undefined },
      ]);
      assert.deepEqual(file.paths, []);
    });

    it('counts nothing of a record that is larger than any conversation, reads it no further, and says so', async () => {
      const { made, file, tell } = meter('claude');
      file.lines = [claude('a', 1)];
      file.unreadBytes = 8 * 1024 ** 4;
      await made.readAgain([agent('reviewer', conversation)]);
      await tell({ transcript_path: '/p/one.jsonl' });
      assert.equal(file.paths.length, 1);
      assert.deepEqual([made.usage(ID)?.inputTokens, /not counted/.test(made.usage(ID)?.coverage ?? '')], [0, true]);
      file.unreadBytes = 0;
      await tell({ transcript_path: '/p/another.jsonl' });
      assert.deepEqual([made.usage(ID)?.inputTokens, made.usage(ID)?.coverage], [1, 'this conversation']);
    });

    it('does not let one record hold up those of the other agents', async () => {
      const { made, file } = meter('claude');
      file.lines = [claude('a', 1)];
      const { read } = file;
      let arrive = (): void => undefined;
      const slow = new Promise<void>((resolve) => (arrive = resolve));
      file.read = async (path, ...rest) => {
        if (path === '/p/slow.jsonl') await slow;
        return read(path, ...rest);
      };
      const reading = made.readAgain([
        agent('reviewer', { ...conversation, transcriptPath: '/p/slow.jsonl' }),
        ...['one', 'two', 'three', 'four', 'five'].map((id) => agent(id, conversation)),
      ]);
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([made.usage(ID), made.usage(agentId('five'))?.inputTokens], [undefined, 1]);
      arrive();
      await reading;
      assert.equal(made.usage(ID)?.inputTokens, 1);
    });

    it('goes on with the next agent where a record cannot be read', async () => {
      const { made, file } = meter('claude');
      file.lines = [claude('a', 1)];
      const { read } = file;
      file.read = (path, ...rest) =>
        path === '/p/gone.jsonl' ? Promise.reject(new Error('gone')) : read(path, ...rest);
      await made.readAgain([
        agent('reviewer', { ...conversation, transcriptPath: '/p/gone.jsonl' }),
        agent('second', conversation),
      ]);
      assert.deepEqual([made.usage(ID), made.usage(agentId('second'))?.inputTokens], [undefined, 1]);
    });
  });
});
