export type EngineParts = Awaited<ReturnType<typeof loadParts>>;

/** Most of the engine: not needed to activate, but loaded at the start, since an update of the extension may remove its files. */
export async function loadParts() {
  const [{ OwnerSession }, { RemoteEngine }] = await Promise.all([
    import('./ownerSession'),
    import('./gateway/remoteEngine'),
  ]);
  return { OwnerSession, RemoteEngine };
}
