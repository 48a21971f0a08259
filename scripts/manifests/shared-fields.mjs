/** The repository's address for people: the root manifest's, without what npm and git need around it. */
export function pageOf(root) {
  return root.repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
}

/** The fields of `packages/NAME/package.json` that follow from the root manifest, so that they are said once. */
export function sharedFields(root, name) {
  const page = pageOf(root);
  return {
    homepage: `${page}/tree/main/packages/${name}#readme`,
    bugs: { url: `${page}/issues` },
    repository: { ...root.repository, directory: `packages/${name}` },
    license: root.license,
    engines: root.engines,
    publishConfig: { access: 'public', provenance: true },
  };
}

const order = [
  'name',
  'version',
  'description',
  'license',
  'homepage',
  'bugs',
  'repository',
  'keywords',
  'type',
  'sideEffects',
  'engines',
  'files',
  'exports',
  'bin',
  'scripts',
  'dependencies',
  'peerDependencies',
  'peerDependenciesMeta',
  'publishConfig',
];

const everyPackageShips = ['CHANGELOG.md', 'dist', 'src'];
// Compilation notes are nobody's business; tests and their helpers stay here.
const noPackageShips = ['!dist/.tsbuildinfo', '!src/**/*.test.ts', '!src/**/testing'];

/** What npm packs: sources too, since source maps point to them. */
function files(own = []) {
  const ships = own.filter((entry) => !entry.startsWith('!'));
  return [...new Set([...ships, ...everyPackageShips])].sort().concat(noPackageShips);
}

/** Dependencies with those on other packages of the workspace at the version that these have now. */
export function withRanges(dependencies, versions) {
  return Object.fromEntries(
    Object.entries(dependencies).map(([name, range]) => [
      name,
      versions.has(name) ? `^${versions.get(name)}` : range,
    ]),
  );
}

/** A package's manifest with the shared fields, its fields in the order that all have. */
export function completed(root, name, manifest) {
  const merged = {
    ...manifest,
    ...sharedFields(root, name),
    files: files(manifest.files),
  };
  const unknown = Object.keys(merged).filter((field) => !order.includes(field));
  if (unknown.length > 0) {
    throw new Error(
      `packages/${name}/package.json has fields that no other package has: ${unknown.join(', ')}.`,
    );
  }
  return Object.fromEntries(
    order.filter((field) => field in merged).map((field) => [field, merged[field]]),
  );
}
