// The README as the extension's page shows it. The page has the files of the package and no others, so what leads elsewhere is taken out.

/** Sections for those who have the repository. */
const NOT_ON_PAGE = ['Try it', 'Pictures', 'Commands for developers'];
const isElsewhere = (target) => !/^(\w[\w+.-]*:|#)/.test(target);

/** Without those sections, without pictures of the repository, and with links into it as plain text. @throws {Error} when a section is not there */
export function pageReadme(readme) {
  const [head, ...sections] = readme.split(/^(?=## )/m);
  const titleOf = (section) => /^## (.*)/.exec(section)[1].trim();
  const titles = sections.map(titleOf);
  for (const title of NOT_ON_PAGE) if (!titles.includes(title)) throw new Error(`README.md has no section "${title}"`);
  const kept = [head, ...sections.filter((section) => !NOT_ON_PAGE.includes(titleOf(section)))].join('');
  return kept
    .replace(/^!\[[^\]]*\]\(([^)\s]*)[^)]*\)\n\n?/gm, (picture, target) => (isElsewhere(target) ? '' : picture))
    .replace(/(?<!!)\[([^\]]*)\]\(([^)\s]*)[^)]*\)/g, (link, words, target) => (isElsewhere(target) ? words : link));
}

/** Targets of links and pictures that are neither addresses nor places in the text itself. */
export function relativeTargets(markdown) {
  const text = markdown.replace(/^(```|~~~)[^]*?^\1/gm, '').replace(/`[^`\n]*`/g, '');
  const found = [
    ...text.matchAll(/\]\(\s*<?([^)\s>]*)/g),
    ...text.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)/gm),
    ...text.matchAll(/<[^>]*\b(?:src|href)\s*=\s*["']?([^"'\s>]+)/gi),
  ];
  return found.map(([, target]) => target).filter((target) => target !== '' && isElsewhere(target));
}
