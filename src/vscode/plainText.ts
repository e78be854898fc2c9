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

/** One line of text of others inside of Markdown: no link, image, emphasis, HTML, formula or heading comes of it. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\\`*_[\]<>&$~#!|]/g, '\\$&');
}
