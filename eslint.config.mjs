// What src keeps away from: forms, imports, globals. Every other rule is in .oxlintrc.json, for all files. What may import
// what is checked by test/unit/architecture.test.ts; the import rules here draw the red line in the editor.
import tseslint from 'typescript-eslint';

const noVscode = { name: 'vscode', message: 'src/core knows no VS Code: take a port in the constructor.' };
const noOuter = { group: ['**/vscode/**', '**/webview/**', '**/host/**'], message: 'src/core does not look outward.' };
const noImports = { regex: '^(?!\\./)', message: 'src/shared imports nothing from outside itself.' };
const noWorld = {
  regex: '^(?!node:|\\./|\\.\\./shared/)',
  message: '`orc` starts at every hook: it imports src/shared and Node only.',
};
const noVscodeInHost = { name: 'vscode', message: 'src/host runs without VS Code.' };
const noNode = {
  regex: '^(node:|(fs|path|child_process|os|net|crypto|worker_threads|node-pty)$)',
  message: 'Node and native modules belong in a node/ folder.',
};
const noSpawn = {
  regex: '^(node:)?child_process$',
  message: 'Processes are started in node/ folders only, by an argument vector.',
};

/** Ways to run a shell, block the process or make markup out of text. */
const dangerous = [
  {
    selector: 'CallExpression[callee.name=/^(exec|execSync|execFileSync|spawnSync)$/]',
    message: 'No shell and no waiting: spawn or execFile with an argument vector.',
  },
  {
    selector: 'CallExpression[callee.property.name=/^(execSync|execFileSync|spawnSync)$/]',
    message: 'No shell and no waiting: spawn or execFile with an argument vector.',
  },
  { selector: "Property[key.name='shell'][value.value=true]", message: 'No shell between us and a program.' },
  {
    selector: 'AssignmentExpression[left.property.name=/^(innerHTML|outerHTML)$/]',
    message: 'Text never becomes markup: textContent.',
  },
  {
    selector:
      "CallExpression[callee.property.name=/^(insertAdjacentHTML|write|writeln)$/][callee.object.name='document']",
    message: 'Text never becomes markup: textContent.',
  },
  {
    selector: "Property[key.name='retainContextWhenHidden'][value.value=true]",
    message: 'A hidden webview is restored from a snapshot.',
  },
  { selector: 'TSEnumDeclaration', message: 'A const object and a union instead of an enum.' },
  { selector: 'ExportDefaultDeclaration', message: 'A named export.' },
];
const spawnTmux = {
  selector: "CallExpression[callee.name=/^(spawn|execFile|fork)$/] > Literal[value='tmux']:first-child",
  message: 'tmux is started in src/core/tmux/node only.',
};
const timers = ['setTimeout', 'setInterval', 'setImmediate'].map((name) => ({
  name,
  message: 'Time comes from the Clock.',
}));
const clockMembers = [
  { object: 'Date', property: 'now', message: 'Time comes from the Clock.' },
  { object: 'Math', property: 'random', message: 'Chance comes from Ids.' },
  { object: 'performance', property: 'now', message: 'Time comes from the Clock.' },
];

export default tseslint.config(
  {
    files: ['src/**/*.ts'],
    languageOptions: { parser: tseslint.parser },
    // Of the rules of oxlint, whose exceptions are told as eslint's.
    linterOptions: { reportUnusedDisableDirectives: 'off' },
    rules: { 'no-restricted-syntax': ['error', ...dangerous, spawnTmux] },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['**/node/**', 'src/demo/**', 'src/vscode/compose.ts', 'src/cli/attachTerminal.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [noSpawn] }] },
  },
  {
    files: ['src/core/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [noVscode], patterns: [noOuter] }] },
  },
  {
    files: ['src/core/**/*.ts'],
    ignores: ['**/node/**', 'src/core/base/**'],
    rules: {
      'no-restricted-imports': ['error', { paths: [noVscode], patterns: [noOuter, noNode] }],
      'no-restricted-globals': ['error', ...timers],
      'no-restricted-properties': ['error', ...clockMembers],
      'no-restricted-syntax': [
        'error',
        ...dangerous,
        spawnTmux,
        { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'Time comes from the Clock.' },
        { selector: "ImportExpression[source.value='vscode']", message: noVscode.message },
        { selector: "TSImportType Literal[value='vscode']", message: noVscode.message },
        { selector: "CallExpression[callee.name='require']", message: 'No require in src/core.' },
      ],
    },
  },
  { files: ['src/shared/**/*.ts'], rules: { 'no-restricted-imports': ['error', { patterns: [noImports] }] } },
  { files: ['src/cli/**/*.ts'], rules: { 'no-restricted-imports': ['error', { patterns: [noWorld, noSpawn] }] } },
  {
    files: ['src/cli/attachTerminal.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [noWorld] }] },
  },
  {
    files: ['src/host/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [noVscodeInHost], patterns: [noSpawn] }] },
  },
  { files: ['src/core/tmux/node/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...dangerous] } },
);
