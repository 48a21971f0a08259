// npm run new:strategy my-name: a package that builds, lints and passes the kit, and shows up wherever strategies are
// listed. What is left to do is the method itself.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');

/** Stops with a message for the terminal. */
function refuse(message) {
  console.error(message);
  process.exit(2);
}

function parseName() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h', default: false } },
  });
  const usage = 'npm run new:strategy my-name, with the name of the method in kebab-case';
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const [name, ...rest] = positionals;
  if (name === undefined || rest.length > 0 || !/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name)) {
    refuse(`Expected one name: ${usage}. Found ${positionals.join(' ') || 'nothing'}.`);
  }
  if (existsSync(join(root, 'packages', `strategy-${name}`))) {
    refuse(`packages/strategy-${name} exists already: choose another name or work on that one.`);
  }
  return name;
}

/** The file with a piece of text put before the only line that holds the anchor. */
function insertBefore(path, anchor, text) {
  const file = join(root, path);
  const lines = readFileSync(file, 'utf8').split('\n');
  const at = lines.flatMap((line, index) => (line.includes(anchor) ? [index] : []));
  if (at.length !== 1) refuse(`${path} should have one line with ${anchor}. Found ${at.length}.`);
  lines.splice(at[0], 0, text);
  writeFileSync(file, lines.join('\n'));
}

function editJson(path, edit) {
  const file = join(root, path);
  const value = JSON.parse(readFileSync(file, 'utf8'));
  edit(value);
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

const name = parseName();
const words = name.split('-');
const capital = (word) => word[0].toUpperCase() + word.slice(1);
const names = {
  name,
  camel: words[0] + words.slice(1).map(capital).join(''),
  pascal: words.map(capital).join(''),
  title: words.map(capital).join(' '),
};
const filled = (text) => text.replace(/__(name|camel|pascal|title)__/g, (_, key) => names[key]);

// The package.
const folder = join(root, 'packages', `strategy-${name}`);
for (const file of readdirSync(join(here, 'template'), { recursive: true, withFileTypes: true })) {
  if (!file.isFile()) continue;
  const source = join(file.parentPath, file.name);
  // `.txt` keeps tools from taking a template for a source.
  const target = join(
    folder,
    filled(source.slice(join(here, 'template').length + 1)).replace(/\.txt$/, ''),
  );
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, filled(readFileSync(source, 'utf8')));
}
cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));

// Its place in the workspace and in the lists.
const link = join(root, 'node_modules', '@multigrad', `strategy-${name}`);
if (!existsSync(link)) symlinkSync(join('..', '..', 'packages', `strategy-${name}`), link, 'dir');
editJson('packages/cli/package.json', ({ dependencies }) => {
  dependencies[`@multigrad/strategy-${name}`] = '^0.0.0';
  const sorted = Object.entries(dependencies).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, value] of sorted) {
    delete dependencies[key];
    dependencies[key] = value;
  }
});
editJson('packages/cli/tsconfig.json', ({ references }) => {
  references.push({ path: `../strategy-${name}` });
});
insertBefore(
  'packages/cli/src/strategies/builtin.ts',
  'The strategies that come with this program',
  `import { plugin as ${names.camel} } from '@multigrad/strategy-${name}';\n`,
);
insertBefore('packages/cli/src/strategies/builtin.ts', '  ...scalarizations,', `  ${names.camel},`);
insertBefore(
  'README.md',
  '| [`@multigrad/scalarization`]',
  `| [\`@multigrad/strategy-${name}\`](packages/strategy-${name}) | ${names.title} |`,
);
writeFileSync(
  join(root, '.changeset', `strategy-${name}.md`),
  `---\n'@multigrad/strategy-${name}': minor\n'@multigrad/cli': minor\n---\n\n${names.title} as a strategy.\n`,
);

execFileSync(process.execPath, [join(root, 'scripts', 'manifests', 'manifests.mjs')], {
  stdio: 'pipe',
});

// A second line of imports must not stand apart, and tables are aligned.
execFileSync(
  process.execPath,
  [
    join(root, 'node_modules', 'prettier', 'bin', 'prettier.cjs'),
    '--write',
    '--log-level',
    'warn',
    'README.md',
    'packages/cli/package.json',
    'packages/cli/tsconfig.json',
    'packages/cli/src/strategies/builtin.ts',
    `packages/strategy-${name}`,
  ],
  { cwd: root, stdio: 'inherit' },
);
console.log(`packages/strategy-${name} is there. What it does now is average the gradients. Next:

  src/${name}.ts       the method
  src/plugin.ts        its paper, options and what it promises
  src/${name}.test.ts  published values and what only this method has
  README.md            the same in words

  npm install && npm run docs:strategies && npm run api:update
  npx vitest packages/strategy-${name}`);
