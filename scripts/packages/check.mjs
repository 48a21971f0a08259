// npm run check:packages: what npm would publish, checked as users meet it. Needs built packages.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from './bundle.mjs';
import { packAll } from './pack.mjs';
import { tarballProblems } from './tarball.mjs';

const root = join(import.meta.dirname, '..', '..');
/** The most that a strategy may weigh in a browser, minified and gzipped, with what it needs of core/strategy. */
const limit = 7200;

const folder = mkdtempSync(join(tmpdir(), 'multigrad-packages-'));
const problems = [];
const sizes = new Map();
try {
  const tarballs = packAll(root, folder);
  for (const { name, data } of tarballs) {
    problems.push(...(await tarballProblems(data)).map((problem) => `${name}: ${problem}`));
    if (!name.startsWith('@multigrad/strategy-')) continue;
    const module = join(root, 'packages', name.replace('@multigrad/', ''), 'dist', 'index.js');
    for (const [exported, value] of Object.entries(await import(module))) {
      if (typeof value !== 'function') continue;
      const { bytes, modules, imports } = await bundle(root, name, exported);
      sizes.set(`${name} ${exported}`, bytes);
      if (bytes >= limit)
        problems.push(`${name}: \`${exported}\` is ${bytes} bytes in a bundle, at most ${limit}.`);
      const tensors = [...modules, ...imports].filter((id) => /tensorflow/i.test(id));
      if (tensors.length > 0)
        problems.push(`${name}: \`${exported}\` brings in ${tensors.join(', ')}.`);
    }
  }
  for (const problem of problems) console.error(problem);
  const bytes = [...sizes.values()].sort((a, b) => a - b);
  console.log(
    `${tarballs.length} packages packed, ${sizes.size} strategies bundled: ${bytes[0]} to ${bytes.at(-1)} bytes ` +
      `minified and gzipped, at most ${limit}; ${problems.length} problems.`,
  );
  process.exitCode = problems.length === 0 && sizes.size > 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
