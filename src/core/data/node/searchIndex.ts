import type { Logger } from '../../base/log';
import { DataError } from '../dataErrors';
import { crc32c } from '../recordCodec';
import { hitOf, type PlainSearch, type SearchHit, type SearchPage } from '../search/dataSearch';
import { textsAt, type TextPath } from '../search/searchDocument';
import type { SearchTerm } from '../search/searchTerms';
import { searchWords } from '../search/searchWords';
import { type SqlEngine, SqlEngineError, type SqlValue } from './sqlEngine';
import { number, searchStatements } from './storeSchema';
import { readRecordAt } from './storeSql';

/** Rows that were written since they were last put into the index: so many are looked through one by one by a search. */
const maxLookedThrough = 500;
/** Work on the index stops after this time, so that writers and readers are served. */
const sliceMs = 8;
const sliceRows = 128;
/** Rows of an older store that are looked at in one go for texts. */
const windowRows = 512;
/** Candidates fetched from the index at a time. */
const pageRows = 64;
/** Pages of the index that are merged after a slice, and how many parts of one size must be there for it. */
const mergePages = 64;
const mergeParts = 8;

/** Private use characters are in no word: they mark the collection, and the border between two texts. */
const kindMark = '\ue000';
const border = '\ue001';

interface SearchedKind {
  readonly paths: readonly TextPath[];
  /** Rows up to here were written before this collection declared these texts, and were not looked at yet. */
  below: number;
}

/**
 * The index of texts of a store, as its thread sees it (docs/adr/0014). A transaction only notes the row that it wrote, which is
 * part of that transaction; the words get into the index afterwards, in slices. A search looks into the index and through the rows
 * that were noted, so that it always answers from the last transaction. What the index says is checked on the record itself before
 * it is answered: an index that lags or is damaged can never show what is not there.
 */
export class SearchIndex {
  readonly #kinds = new Map<string, SearchedKind>();
  /** Declared, and to be kept with the next commit. */
  readonly #declared = new Map<string, readonly TextPath[]>();
  #isBroken = false;
  #hasWork = false;

  constructor(
    private readonly engine: SqlEngine,
    private readonly log: Logger,
  ) {
    this.#load();
    this.#lookForWork();
  }

  #load(): void {
    for (const [kind, text, below] of this.engine.all('SELECT kind, text, below FROM searchKinds')) {
      this.#kinds.set(String(kind), { paths: String(text).split(' '), below: Number(below) });
    }
  }

  /** Remembers a declaration until {@link keepDeclared}. */
  declare(kind: string, paths: readonly TextPath[]): void {
    if (paths.length > 0 && this.#kinds.get(kind)?.paths.join(' ') !== paths.join(' ')) this.#declared.set(kind, paths);
    if (this.hasDeclared) this.#hasWork = true;
  }

  get hasDeclared(): boolean {
    return this.#declared.size > 0;
  }

  /** Inside of a transaction: from now on the texts of these collections are noted. */
  keepDeclared(): void {
    if (this.#declared.size === 0) return;
    const below = number(this.engine, 'SELECT max(rowid) FROM records');
    for (const [kind, paths] of this.#declared) {
      this.engine.run('INSERT OR REPLACE INTO searchKinds(kind, text, below) VALUES(?, ?, ?)', [
        kind,
        paths.join(' '),
        below,
      ]);
    }
  }

  /** After the commit of {@link keepDeclared}. */
  declaredAreKept(): void {
    if (this.#declared.size === 0) return;
    this.#load();
    this.#declared.clear();
  }

  /** Inside of a transaction: this record is about to be removed, or was just written. */
  note(kind: string, id: string): void {
    if (!this.#kinds.has(kind) && !this.#declared.has(kind)) return;
    this.#hasWork = true;
    this.engine.run('INSERT OR IGNORE INTO searchQueue(row) SELECT rowid FROM records WHERE kind = ? AND id = ?', [
      kind,
      id,
    ]);
  }

  /** There is something to put into the index. */
  get hasWork(): boolean {
    return this.#hasWork && !this.#isBroken;
  }

  #lookForWork(): void {
    this.#hasWork =
      this.hasDeclared || this.#oldest() > 0 || this.engine.get('SELECT 1 FROM searchQueue LIMIT 1') !== undefined;
  }

  /**
   * One slice of work, in a transaction of its own which need not be durable: what is not in the index is still noted.
   * @throws {SqlEngineError} full, io
   */
  work(): void {
    this.#guarded(() => {
      this.engine.begin(false);
      try {
        if (this.hasDeclared) this.keepDeclared();
        const untilMs = performance.now() + sliceMs;
        if (!this.#foldQueue(untilMs)) this.#foldOlder(untilMs);
        this.engine.run(`INSERT INTO search(search) VALUES('merge=${mergePages},${mergeParts}')`);
        this.engine.commit();
      } catch (error) {
        this.engine.rollback();
        this.#load();
        throw error;
      }
      this.declaredAreKept();
      this.#lookForWork();
    });
  }

  /** Everything is put into the index anew, because the numbers of rows may have changed, or the index is damaged. @throws {SqlEngineError} */
  rebuild(): void {
    this.engine.begin(true);
    try {
      this.engine.exec('DROP TABLE IF EXISTS search; DROP TABLE IF EXISTS searchQueue');
      for (const statement of searchStatements) this.engine.exec(statement);
      const below = number(this.engine, 'SELECT max(rowid) FROM records');
      this.engine.run('UPDATE searchKinds SET below = ?', [below]);
      this.engine.commit();
      for (const kind of this.#kinds.values()) kind.below = below;
      this.#hasWork = true;
    } catch (error) {
      this.engine.rollback();
      throw error;
    }
  }

  /** @throws {DataError} data.corrupt when the index cannot be used; {@link SqlEngineError} */
  search({ terms, kinds, limit, before = Number.MAX_SAFE_INTEGER }: PlainSearch): SearchPage {
    const wanted = [...this.#kinds.keys()].filter((kind) => kinds === undefined || kinds.includes(kind));
    if (terms.length === 0 || wanted.length === 0) return { hits: [], isComplete: true };
    if (this.#isBroken) throw new DataError('data.corrupt', 'the index of texts is damaged');
    const pick = (row: number): SearchHit | undefined => this.#hit(row, wanted, terms);
    const noted = this.engine.all('SELECT row FROM searchQueue WHERE row < ? ORDER BY row DESC LIMIT ?', [
      before,
      maxLookedThrough + 1,
    ]);
    const isComplete = noted.length <= maxLookedThrough && wanted.every((kind) => this.#kinds.get(kind)?.below === 0);
    const recent = noted.slice(0, maxLookedThrough).flatMap(([row]) => pick(Number(row)) ?? []);
    const indexed = this.#guarded(() => this.#indexed(wanted, kinds !== undefined, { terms, limit, before }, pick));
    const hits = [...recent, ...(indexed ?? [])].sort((a, b) => b.position - a.position).slice(0, limit);
    return { hits, isComplete: isComplete && indexed !== undefined };
  }

  #indexed(
    wanted: readonly string[],
    isOfKinds: boolean,
    {
      terms,
      limit,
      before,
    }: { readonly terms: readonly SearchTerm[]; readonly limit: number; readonly before: number },
    pick: (row: number) => SearchHit | undefined,
  ): readonly SearchHit[] {
    const hits: SearchHit[] = [];
    const match = matchOf(terms, isOfKinds ? wanted : undefined);
    for (let below = before; ;) {
      const rows = this.engine.all(
        `SELECT docid FROM search WHERE search MATCH ? AND docid < ?
          AND NOT EXISTS(SELECT 1 FROM searchQueue WHERE row = docid) ORDER BY docid DESC LIMIT ?`,
        [match, below, pageRows],
      );
      for (const [row] of rows) {
        const hit = pick(Number(row));
        if (hit) hits.push(hit);
        if (hits.length >= limit) return hits;
      }
      const last = rows.at(-1)?.[0];
      if (rows.length < pageRows || last === undefined) return hits;
      below = Number(last);
    }
  }

  /**
   * The record of this row, when it has all that is looked for by the newest declaration, also while that is not kept yet. A damaged
   * record is not served.
   */
  #hit(row: number, wanted: readonly string[], terms: readonly SearchTerm[]): SearchHit | undefined {
    const record = readRecordAt(this.engine, row);
    if (!record || !wanted.includes(record.kind)) return undefined;
    const paths = this.#declared.get(record.kind) ?? this.#kinds.get(record.kind)?.paths ?? [];
    return hitOf(record, row, paths, terms);
  }

  /** False when nothing is noted. */
  #foldQueue(untilMs: number): boolean {
    const rows = this.engine.all('SELECT row FROM searchQueue ORDER BY row LIMIT ?', [sliceRows]);
    for (const [row] of rows) {
      this.#fold(Number(row));
      this.engine.run('DELETE FROM searchQueue WHERE row = ?', [row ?? 0]);
      if (performance.now() >= untilMs) break;
    }
    return rows.length > 0;
  }

  /** Rows from before their collection declared texts, the newest first. */
  #foldOlder(untilMs: number): void {
    const from = this.#oldest();
    if (from === 0) return;
    let below = Math.max(0, from - windowRows);
    const rows = this.engine.all('SELECT rowid, kind FROM records WHERE rowid > ? AND rowid <= ? ORDER BY rowid DESC', [
      below,
      from,
    ]);
    for (const [row, kind] of rows) {
      if (Number(row) > (this.#kinds.get(String(kind))?.below ?? 0)) continue;
      this.#fold(Number(row));
      if (performance.now() < untilMs) continue;
      below = Number(row) - 1;
      break;
    }
    this.engine.run('UPDATE searchKinds SET below = ? WHERE below > ?', [below, below]);
    for (const kind of this.#kinds.values()) kind.below = Math.min(kind.below, below);
  }

  /** Makes the index say of this row what its record says now. */
  #fold(row: number): void {
    const want = this.#documentOf(row);
    const have = this.engine.get('SELECT words FROM search WHERE docid = ?', [row])?.[0];
    if (want === have) return;
    if (have !== undefined) this.engine.run('DELETE FROM search WHERE docid = ?', [row]);
    if (want !== undefined) this.engine.run('INSERT INTO search(docid, words) VALUES(?, ?)', [row, want]);
  }

  /** Its words as the index takes them; undefined when it has none, is gone or is damaged. */
  #documentOf(row: number): string | undefined {
    const record = readRecordAt(this.engine, row);
    const paths = record && this.#kinds.get(record.kind)?.paths;
    if (!paths) return undefined;
    const texts = textsAt(JSON.parse(record.json) as unknown, paths).map((text) =>
      searchWords(text)
        .map((word) => word.text)
        .join(' '),
    );
    const words = texts.filter((text) => text !== '').join(` ${border} `);
    return words === '' ? undefined : `${markOf(record.kind)} ${words}`;
  }

  #oldest(): number {
    return Math.max(0, ...[...this.#kinds.values()].map(({ below }) => below));
  }

  /** Damage in the index costs the index, never the store: it is made anew once, from the records. */
  #guarded<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      const isOfIndex = error instanceof SqlEngineError && (error.kind === 'corrupt' || error.kind === 'other');
      if (!isOfIndex || this.#isBroken) throw error;
      this.log.error('the index of texts is damaged and is made anew', { error });
    }
    try {
      this.rebuild();
    } catch (error) {
      this.#isBroken = true;
      this.log.error('the index of texts cannot be made anew; nothing else is affected', { error });
    }
    return undefined;
  }
}

/** Kinds may have characters that are in no word. */
function markOf(kind: string): string {
  return kindMark + crc32c(kind).toString(36);
}

/**
 * What the index is asked. Every word consists of letters and digits only (searchWords.ts) and stands between quotation marks, where
 * nothing but `*` means anything to SQLite.
 */
function matchOf(terms: readonly SearchTerm[], kinds: readonly string[] | undefined): SqlValue {
  const all = terms.map(({ words, isPrefix }) => `"${words.join(' ')}${isPrefix ? '*' : ''}"`);
  if (kinds) all.push(`(${kinds.map((kind) => `"${markOf(kind)}"`).join(' OR ')})`);
  return all.join(' ');
}
