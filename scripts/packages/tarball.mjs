import { posix } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

// CommonJS takes these packages by require(esm) or import(), and TypeScript's node10 knows no `exports`.
const beside = new Set(['node10', 'node16-cjs']);

async function lint(data) {
  const { messages, pkg } = await publint({
    strict: true,
    level: 'suggestion',
    pack: { tarball: data.buffer },
  });
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

async function checkTypes(data) {
  const { types, problems = [] } = await checkPackage(createPackageFromTarballData(data));
  if (types === false) return ['arethetypeswrong: there are no types.'];
  return problems
    .filter(({ resolutionKind }) => !beside.has(resolutionKind))
    .map(({ kind, ...where }) => `arethetypeswrong: ${kind} ${JSON.stringify(where)}`);
}

/** Every file has a map that leads to sources in the same tarball, and nothing is there that is not for users. */
function checkFiles(data) {
  const unpacked = createPackageFromTarballData(data);
  const prefix = `/node_modules/${unpacked.packageName}/`;
  const files = new Set(unpacked.listFiles(prefix).map((path) => path.slice(prefix.length)));
  const problems = ['LICENSE', 'README.md', 'package.json']
    .filter((file) => !files.has(file))
    .map((file) => `${file} is missing.`);
  for (const file of files) {
    if (/\.test\.|\/testing\/|tsbuildinfo/.test(file)) problems.push(`${file} is not for users.`);
    if (/^dist\/.*\.(js|d\.ts)$/.test(file) && !files.has(`${file}.map`))
      problems.push(`${file} has no source map.`);
    if (!file.endsWith('.map')) continue;
    const { sources, sourcesContent } = JSON.parse(unpacked.readFile(prefix + file));
    for (const [index, source] of sources.entries()) {
      const path = posix.join(posix.dirname(file), source);
      if (!files.has(path) && typeof sourcesContent?.[index] !== 'string')
        problems.push(`${file} points to ${path}, which is not shipped.`);
    }
  }
  return problems;
}

/** What is wrong with a tarball of npm's, as sentences. */
export async function tarballProblems(data) {
  return [...(await lint(data)), ...(await checkTypes(data)), ...checkFiles(data)];
}
