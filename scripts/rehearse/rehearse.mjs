// npm run rehearse: publishes every package to a registry on this machine and uses them as a newcomer would, in folders
// that know nothing of this one, on each version of Node. --node 22 takes that one alone, --only ranks one rehearsal (a
// function of scenarios.mjs); --keep leaves the folders.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { installNode, nodeVersions } from './node.mjs';
import { publishSnapshot } from './publish.mjs';
import { startRegistry } from './registry.mjs';
import { run } from './run.mjs';
import { scenarios } from './scenarios.mjs';

const { values } = parseArgs({
  options: {
    node: { type: 'string', multiple: true },
    only: { type: 'string', multiple: true },
    keep: { type: 'boolean' },
  },
});
const wanted = nodeVersions.filter(
  (version) => values.node?.some((prefix) => version.startsWith(`${prefix}.`)) ?? true,
);
if (wanted.length === 0)
  throw new Error(
    `--node takes ${nodeVersions.map((version) => version.split('.')[0]).join(', ')}.`,
  );
const rehearsals = scenarios.filter(({ name }) => values.only?.includes(name) ?? true);
if (rehearsals.length === 0)
  throw new Error(`--only takes ${scenarios.map(({ name }) => name).join(', ')}.`);

const cache = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'multigrad',
  'rehearsal',
);
const folder = mkdtempSync(join(tmpdir(), 'multigrad-rehearsal-'));
const seconds = (since) => `${Math.round((performance.now() - since) / 1000)} s`;
const begun = performance.now();
let registry;

/** An environment without this one's npm, home or caches. */
function environment(url, binary) {
  const clean = Object.entries(process.env).filter(([name]) => !/^npm_|^INIT_CWD$/i.test(name));
  const home = join(folder, 'home');
  mkdirSync(home, { recursive: true });
  // Anybody may publish there, but npm wants to see a token.
  writeFileSync(join(home, '.npmrc'), `//${new URL(url).host}/:_authToken=nobody\n`);
  return {
    ...Object.fromEntries(clean),
    HOME: home,
    USERPROFILE: home,
    XDG_CACHE_HOME: join(home, '.cache'),
    PATH: [dirname(binary), process.env.PATH].join(delimiter),
    NO_COLOR: '1',
    FORCE_COLOR: '0',
    npm_config_registry: url,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  };
}

try {
  const binaries = [];
  for (const version of wanted) binaries.push([version, await installNode(version, cache)]);
  registry = await startRegistry(cache, folder);
  console.log(`registry and ${wanted.length} Node ready after ${seconds(begun)}`);

  const publishing = performance.now();
  const copy = join(folder, 'copy');
  mkdirSync(copy);
  const published = await publishSnapshot(copy, environment(registry.url, process.execPath));
  for (const [name, version] of published) {
    const tags = await fetch(`${registry.url}-/package/${name}/dist-tags`).then((answer) =>
      answer.json(),
    );
    if (tags.latest !== version)
      throw new Error(`${name}: published ${tags.latest}, expected ${version}.`);
  }
  console.log(`${published.size} packages built and published in ${seconds(publishing)}`);

  for (const [version, binary] of binaries) {
    const env = environment(registry.url, binary);
    const found = (await run('node', ['--version'], { env })).trim();
    if (found !== `v${version}`) throw new Error(`Node is ${found}, not ${version}.`);
    for (const scenario of rehearsals) {
      const since = performance.now();
      const what = await scenario(join(folder, `node-${version}`), env);
      console.log(`Node ${version}: ${what}, ${seconds(since)}`);
    }
  }
  console.log(
    `${published.size} packages, ${wanted.length} versions of Node, ${wanted.length * rehearsals.length} rehearsals ` +
      `passed in ${seconds(begun)}`,
  );
} finally {
  registry?.stop();
  if (values.keep) console.log(`Left in ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
