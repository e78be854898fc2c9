// Runs alone: how long it takes is measured.
import { strict as assert } from 'node:assert';
import type * as vscode from 'vscode';
import { ChannelLogger } from '../../../src/vscode/log';
import { mayHoldSecret } from '../../../src/shared/redact';
import { redact, REDACTED } from '../../../src/vscode/redact';

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
  ['named secret with a prefix', 'DB_PASSWORD=CANARY99', 'CANARY99'],
  ['named secret of a shell', 'export GITHUB_TOKEN=CANARY1234567', 'CANARY'],
  ['named secret in small letters', 'dbPassword: CANARY99', 'CANARY'],
  ['AWS secret with a prefix', 'MY_AWS_SECRET_ACCESS_KEY=CANARY/1234567890+abc', 'CANARY'],
  ['Authorization as a variable', 'X_AUTHORIZATION=CANARY-1234', 'CANARY-1234'],
  ['quoted secret', '{"password": "two CANARY here"}', 'CANARY'],
  ['quoted secret that begins as code goes on', 'password=")a,b CANARY"', 'CANARY'],
  ['quoted secret that begins with a blank', '{"password": " CANARY"}', 'CANARY'],
  ['quoted secret with quotes in it', String.raw`"password": "a \"b\" CANARY", "x": 1`, 'CANARY'],
  ['secret in single quotes', String.raw`password: 'it\'s my CANARY'`, 'CANARY'],
  ['secret in quotes of a shell', String.raw`X_PASSWORD='it'\''s my CANARY'`, 'CANARY'],
  ['quoted secret of several lines', 'API_KEY="one\ntwo\nCANARY"', 'CANARY'],
  ['quoted secret that was cut off', 'password="two CANARY', 'CANARY'],
  ['secret in three quotes', 'password = """two CANARY"""', 'CANARY'],
  ['quoted secret in a text inside of a text', String.raw`{\"password\":\"a \\\"b\\\" CANARY\"}`, 'CANARY'],
  ['value of an environment variable that was approved', "One\n  environment: DSN='a CANARY'\n", 'CANARY'],
  ['value of a variable that a type adds', '  adds environment: DSN={"a":"b CANARY"}', 'CANARY'],
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

  it('no text with a secret is passed over because of the quick look at its JSON', () => {
    for (const [kind, text] of canaries) assert.ok(mayHoldSecret(JSON.stringify({ text })), kind);
  });

  it('ordinary lines stay as they are', () => {
    const lines = [
      'agent=reviewer lifecycle=running',
      'https://example.com/a:b@c',
      'tokens: 12',
      'sk-1',
      'v1.2.3',
      '/home/me/project',
      'tokenizer=fast secretary: Anna passwords: none keypad=123456 the secret of it',
      '{"password":"","user":"bob"}',
      'the environment: a good one',
      'read -p "Password: " it; echo "done"',
      'input("Enter password: ")\nprint("hello")',
      'const url = "?token=" + it + "&x=1";',
    ];
    assert.deepEqual(lines.map(redact), lines);
  });

  it('of a quoted secret the rest of the line stays', () => {
    assert.equal(
      redact(String.raw`{"password":"a \"b\" c","user":"bob"} X_TOKEN='it'\''s' end`),
      `{"password":"${REDACTED}","user":"bob"} X_TOKEN='${REDACTED}' end`,
    );
    const approved = "  environment: A=b\n  command: sh -c 'true'\n  adds environment: C='d e'\n  folder: /x";
    assert.equal(redact(approved), approved.replace('A=b', `A=${REDACTED}`).replace("C='d e'", `C=${REDACTED}`));
  });

  const hostile: readonly string[] = [
    'a'.repeat(200_000) + ' authorization' + ': '.repeat(50_000),
    '://' + 'a.'.repeat(100_000),
    'eyJaaaaa-'.repeat(20_000),
    'token="'.repeat(30_000),
    'token=")'.repeat(30_000),
    'token=")\n'.repeat(30_000),
    `token")='`.repeat(30_000),
    "PASSWORD='\\''\n".repeat(15_000),
    "pwd='\n".repeat(30_000),
    'password="' + 'a b\n'.repeat(50_000),
    'token' + '"\\'.repeat(100_000),
    '  environment: '.repeat(15_000),
  ];
  for (const text of hostile)
    it(`a long line of ${JSON.stringify(text.slice(0, 16))} costs no noticeable time`, () => {
      const startedMs = performance.now();
      redact(text);
      assert.ok(performance.now() - startedMs < 2_000);
    });
});

function channelInto(lines: string[]): vscode.LogOutputChannel {
  const write = (line: string): void => void lines.push(line);
  return { trace: write, debug: write, info: write, warn: write, error: write } as unknown as vscode.LogOutputChannel; // the logger uses only these
}
