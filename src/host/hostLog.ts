import fs from 'node:fs';
import { formatFields, type LogFields, type Logger } from '../core/base/log';
import { redact } from '../shared/redact';

/** The present file and one before it have at most this much each. */
export const MAX_LOG_BYTES = 1024 * 1024;

/** The host's log in a file of the data folder, 0600; when it is full it becomes `<file>.1` and a new one begins. Never throws. */
export class FileLogger implements Logger {
  #size: number;

  constructor(
    private readonly file: string,
    private readonly maxBytes: number = MAX_LOG_BYTES,
  ) {
    this.#size = fs.existsSync(file) ? fs.statSync(file).size : 0;
  }

  trace(): void {} // as in a window by default: neither is kept

  debug(): void {}

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#write('error', message, fields);
  }

  #write(level: string, message: string, fields: LogFields | undefined): void {
    const line = `${new Date().toISOString()} ${level} ${redact(message + formatFields(fields)).replaceAll('\n', '\\n')}\n`;
    try {
      if (this.#size + line.length > this.maxBytes) {
        fs.renameSync(this.file, `${this.file}.1`);
        this.#size = 0;
      }
      fs.appendFileSync(this.file, line, { mode: 0o600 });
      this.#size += line.length;
    } catch {
      return; // a full disk must not end the supervision
    }
  }
}
