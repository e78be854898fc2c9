import fs from 'node:fs';
import path from 'node:path';
import { frozenFiles } from '../../src/core/data/node/frozenFiles';
import { NodeExportFiles } from '../../src/core/data/node/nodeExportFiles';
import { openSqlJsReader } from '../../src/core/data/node/sqlJsEngine';
import { MemoryExportFiles } from '../support/memoryExportFiles';
import { buildStoreWorker, temporaryFolder, wasmFile } from '../support/storeWorker';
import { exportFilesContract } from './exportFiles.contract';

describe('ExportFiles contract', () => {
  describe('MemoryExportFiles', () => {
    exportFilesContract(async () => {
      const files = new MemoryExportFiles();
      const file = '/export';
      return {
        ...{ files, file },
        text: async () => files.texts.get(file),
        ids: async () => files.databases.get(file)?.records.map(({ id }) => id),
        count: async () => files.texts.size + files.databases.size,
        dispose: async () => undefined,
      };
    });
  });

  describe('NodeExportFiles', () => {
    exportFilesContract(async () => {
      const { folder, remove } = temporaryFolder();
      const file = path.join(folder, 'export');
      return {
        files: new NodeExportFiles({ workerFile: await buildStoreWorker(), wasmFile }),
        file,
        text: async () => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined),
        ids: async () => {
          if (!fs.existsSync(file)) return undefined;
          const engine = await openSqlJsReader(file, wasmFile, frozenFiles(file));
          const ids = engine.all('SELECT id FROM records ORDER BY id').map(([id]) => String(id));
          engine.close();
          return ids;
        },
        count: async () => fs.readdirSync(folder).length,
        dispose: async () => remove(),
      };
    });
  });
});
