/**
 * Which library works on the store's file; the format is the same, so a choice can be changed at any time.
 * `auto`: sql.js, and node:sqlite where sql.js fails its self-test. A named engine is used or the store does not open.
 */
export const StoreEngineChoice = { Auto: 'auto', SqlJs: 'sql.js', NodeSqlite: 'node:sqlite' } as const;
export type StoreEngineChoice = (typeof StoreEngineChoice)[keyof typeof StoreEngineChoice];

/** The choice that a setting holds; anything else counts as `auto`. */
export function parseStoreEngine(value: unknown): StoreEngineChoice {
  return Object.values(StoreEngineChoice).find((choice) => choice === value) ?? StoreEngineChoice.Auto;
}
