import assert from 'node:assert/strict';
import { approvalText } from '../../../src/core/agents/approval';
import { newDelivery } from '../../../src/core/agents/delivery/deliveryRecord';
import { SystemClock } from '../../../src/core/base/clock';
import { silentLogger } from '../../../src/core/base/log';
import { AGENTS, ANSWERS, APPROVALS } from '../../../src/core/dataAgentStore';
import { DELIVERIES } from '../../../src/core/dataDeliveryStore';
import { ExportFormat } from '../../../src/core/data/exchange/dataExport';
import { MemoryDataStore } from '../../../src/core/data/memoryDataStore';
import { FLEET_TYPES } from '../../../src/core/fleetTypes';
import { createExporter } from '../../../src/core/ownerExport';
import { agentId, aRecord, aSpec, aType } from '../../support/builders';
import { MemoryExportFiles } from '../../support/memoryExportFiles';

/** What each must not hold: every value of an environment variable, and every secret in a text. */
const CANARY = /canary/i;

describe('exports of what an owner keeps', () => {
  const clock = new SystemClock();
  const type = aType({
    env: { SENTRY_DSN: 'type-canary' },
    inject: {
      env: {
        PLAIN: 'inject-canary',
        SETTINGS: { json: { deep: 'json canary' } },
        MORE: { toml: { a: 'toml canary' } },
      },
    },
  });
  const spec = aSpec({
    ...{ name: 'Scout', typeId: type.id, args: ['--', 'DB_PASSWORD=canary-in-args'] },
    ...{ firstPrompt: 'log in with "password": "two canary words" there' },
    env: { DSN: 'spec-canary', LINES: "one\ntwo canary\nit's three canary", EMPTY: '' },
  });
  const texts = [
    'X_PASSWORD=canary99 go',
    'export GITHUB_TOKEN=canary1234567',
    'MY_API_KEY: "a \\"b\\" canary"',
    "client_secret = 'it\\'s a canary'",
    '{"cmd": "{\\"dbPassword\\": \\"two canary words\\"}"}',
  ];
  const agent = aRecord({ id: agentId('scout'), spec });
  const shown = approvalText(spec, type, ['true', ...(spec.args ?? [])]);
  const approval = { hash: 'a'.repeat(64), shown, approvedAtMs: 7, actor: 'person' as const };
  let store: MemoryDataStore;

  beforeEach(async () => {
    store = new MemoryDataStore({ clock });
    await store.tx((tx) => {
      tx.put(FLEET_TYPES, type.id, type);
      tx.put(AGENTS, agent.id, agent);
      tx.put(APPROVALS, approval.hash, approval);
      for (const [i, text] of texts.entries()) {
        const id = String(i).padStart(26, '0');
        tx.put(DELIVERIES, id, newDelivery({ id, agentId: agent.id, text, actor: 'person' }, 5));
        tx.put(ANSWERS, id, {
          ...{ id, agentId: agent.id, generation: 1, kind: 'permission', tool: 'Bash', title: 'Allow this command?' },
          ...{ shown: text, isCut: false, outcome: 'allowed', via: 'notification', actor: 'person' },
          ...{ askedAtMs: 8, answeredAtMs: 9 },
        });
      }
    });
  });
  afterEach(() => store.close());

  async function exported(format: ExportFormat, withSecrets = false): Promise<string> {
    const exportFiles = new MemoryExportFiles();
    const breathe = (): Promise<void> => new Promise((done) => setImmediate(done));
    const run = createExporter({ store, workspace: { exportFiles, breathe }, clock, log: silentLogger });
    const request = { file: '/x', format, withSecrets };
    const report = await run(request, () => undefined, new AbortController().signal);
    assert.equal(report.isRedacted, !withSecrets);
    return exportFiles.texts.get('/x') ?? JSON.stringify(exportFiles.databases.get('/x')?.records);
  }

  for (const format of Object.values(ExportFormat)) {
    it(`S18 ${format} holds no value of an environment variable and no secret of a text`, async () => {
      assert.match(await exported(format, true), CANARY);
      const text = await exported(format);
      assert.doesNotMatch(text, CANARY);
      const told = ['SENTRY_DSN', 'SETTINGS', 'LINES', 'X_PASSWORD', 'GITHUB_TOKEN', 'MY_API_KEY', 'command: true'];
      for (const name of told) assert.ok(text.replaceAll('\\', '').includes(name), name); // Markdown spells `_` as `\_`
    });
  }
});
