// Runs alone: how long it takes is measured.
import { strict as assert } from 'node:assert';
import type * as vscode from 'vscode';
import { ChannelLogger } from '../../../src/vscode/log';
import { redact } from '../../../src/vscode/redact';

/** Joined here so that no scanner takes this file for a leak. */
const join = (...parts: readonly string[]): string => parts.join('');
const jwt = join('eyJ', 'hbGciOiJIUzI1NiJ9', '.', 'eyJzdWIiOiJhIn0', '.', 'c2lnbmF0dXJlLXNpZ25hdHVyZQ');
const canaries: readonly (readonly [string, string, string])[] = [
  ['OpenAI key', `key ${join('sk-', 'proj-CANARY1234567890')}`, 'CANARY1234567890'],
  ['Anthropic key', join('sk-', 'ant-api03-CANARY_12345678'), 'CANARY_12345678'],
  ['GitHub token', join('ghp_', 'CANARY1234567890abcdefgh'), 'CANARY1234567890'],
  ['GitHub fine-grained token', join('github_pat_', 'CANARY1234567890_abcdefgh'), 'CANARY1234567890'],
  ['AWS key id', join('AKIA', 'CANARY1234567890'), 'CANARY1234567890'],
  ['AWS secret', `aws_secret_access_key=${'CANARY/1234567890+abcdefghijklmnopqrstuv'}`, 'CANARY'],
  ['JWT', `token is ${jwt}!`, 'c2lnbmF0dXJl'],
  ['Authorization header', 'authorization: Bearer CANARY-1234', 'CANARY-1234'],
  ['Authorization in JSON', '{"Authorization":"Basic Q0FOQVJZOng="}', 'Q0FOQVJZ'],
  ['URL credentials', 'https://user:CANARYpw@example.com/x', 'CANARYpw'],
  ['our own token', join('core_agent_', 'CANARY1234567890abcdef'), 'CANARY1234567890'],
  ['named secret', 'password=CANARY99 next', 'CANARY99'],
  ['Slack token', join('xoxb-', '1234-CANARY'), 'CANARY'],
  ['private key', '-----BEGIN RSA PRIVATE KEY-----\nCANARY\n-----END RSA PRIVATE KEY-----', 'CANARY'],
];

describe('S18 secrets in the log', () => {
  for (const [kind, text, secret] of canaries) {
    it(`S18 ${kind} is taken out`, () => {
      const result = redact(text);
      assert.equal(result.includes(secret), false, result);
      assert.match(result, /\[redacted\]/);
    });

    it(`S18 ${kind} is taken out of every level and field of the log`, () => {
      const lines: string[] = [];
      const log = new ChannelLogger(channelInto(lines));
      log.trace(text);
      log.debug('m', { field: text });
      log.info('m', { nested: { field: text } });
      log.warn('m', { error: new Error(text) });
      log.error(text, { field: text });
      assert.equal(lines.length, 5);
      for (const line of lines) assert.equal(line.includes(secret), false, line);
    });
  }

  it('ordinary lines stay as they are', () => {
    const lines = [
      'agent=reviewer lifecycle=running',
      'https://example.com/a:b@c',
      'tokens: 12',
      'sk-1',
      'v1.2.3',
      '/home/me/project',
    ];
    assert.deepEqual(lines.map(redact), lines);
  });

  it('a long line costs no noticeable time', () => {
    const startedMs = performance.now();
    redact('a'.repeat(200_000) + ' authorization' + ': '.repeat(50_000));
    assert.ok(performance.now() - startedMs < 2_000);
  });
});

function channelInto(lines: string[]): vscode.LogOutputChannel {
  const write = (line: string): void => void lines.push(line);
  return { trace: write, debug: write, info: write, warn: write, error: write } as unknown as vscode.LogOutputChannel; // the logger uses only these
}
