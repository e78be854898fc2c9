/** What parsers and readers of exports stumble over. */
const SNIPPETS = [
  '{"kind":"permit","id":"p9","version":1,"createdAtMs":1,"updatedAtMs":1,"epoch":1,"value":{"text":"x"}}\n',
  '{"kind":"$export","id":"header","value":{"format":2,"schemaVersion":1,"isRedacted":false}}\n',
  '{"kind":"$export","id":"end","value":{"records":4,"sha256":""}}\n',
  '"__proto__":{"text":"x"},',
  '"constructor":1,',
  '1e999',
  '-0',
  '\\u0000',
  '\\ud800',
  '[[[[[[[[',
  '}}}}',
  '",',
  '\n\n',
  '\r\n',
  '\0',
  '9007199254740993',
  'null',
];

/** One to four small or large changes. */
export function mutated(from: Buffer, random: () => number): Buffer {
  let bytes = Buffer.from(from);
  const at = (): number => Math.floor(random() * (bytes.length + 1));
  for (let count = 1 + Math.floor(random() * 4); count > 0; count--) {
    const [a, b] = [at(), at()].sort((x, y) => x - y) as [number, number]; // two numbers
    const choice = Math.floor(random() * 6);
    if (choice === 0 && bytes.length > 0) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    else if (choice === 1) bytes = Buffer.concat([bytes.subarray(0, a)]);
    else if (choice === 2) bytes = Buffer.concat([bytes.subarray(0, a), bytes.subarray(b)]);
    else if (choice === 3) bytes = Buffer.concat([bytes.subarray(0, b), bytes.subarray(a, b), bytes.subarray(b)]);
    else if (choice === 4) {
      const snippet = Buffer.from(SNIPPETS[Math.floor(random() * SNIPPETS.length)] ?? '');
      bytes = Buffer.concat([bytes.subarray(0, a), snippet, bytes.subarray(a)]);
    } else {
      const lines = bytes.toString('latin1').split('\n');
      const [i, j] = [Math.floor(random() * lines.length), Math.floor(random() * lines.length)];
      [lines[i], lines[j]] = [lines[j] ?? '', lines[i] ?? ''];
      bytes = Buffer.from(lines.join('\n'), 'latin1');
    }
  }
  return bytes;
}
