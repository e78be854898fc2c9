/** Waits until `probe` returns something other than undefined, null or false; fails with `what` and the last answer at the deadline. */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 10 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) return value as NonNullable<T>; // excluded just above
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline)
      throw new Error(`not within ${timeoutMs} ms: ${what} (last: ${String(last)})`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
