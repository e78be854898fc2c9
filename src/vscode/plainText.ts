/**
 * Text of others for the places where VS Code makes more of a string than text. Notifications turn `[x](command:y)`
 * into links, quick picks and status items turn `$(name)` into icons.
 */
export function withoutLinks(text: string): string {
  return text.replaceAll('](', ']\u200b(');
}

/** See {@link withoutLinks}: a zero-width space keeps `$(name)` from becoming an icon. */
export function withoutIcons(text: string): string {
  return text.replaceAll('$(', '$\u200b(');
}
