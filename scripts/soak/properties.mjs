// Property tests with seeds that no run before had: the suite draws the same cases each time.
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Runs every test file with properties `runs` times, each with another seed from `seed` on; by default drawn by chance. */
export async function writeProperties(given) {
  const { runs = 10, seed = Math.floor(Math.random() * 2 ** 30) } = given;
  const files = [];
  for (const folder of ['packages', 'tests']) {
    for (const name of await readdir(folder, { recursive: true })) {
      // Tests for a browser, MPI or native TensorFlow have runners of their own.
      const own = /node_modules|(^|\/)dist\/|^(browser|mpi)\/|native\.test\.ts$/u.test(name);
      if (own || !name.endsWith('.test.ts')) continue;
      const file = `${folder}/${name}`;
      if ((await readFile(file, 'utf8')).includes("from 'fast-check'")) files.push(file);
    }
  }
  const failed = [];
  for (let run = 0; run < runs; run += 1) {
    const env = { ...process.env, FAST_CHECK_SEED: String(seed + run), NO_COLOR: '1' };
    try {
      await promisify(execFile)('npx', ['vitest', 'run', '--reporter=dot', ...files], {
        env,
        maxBuffer: 2 ** 28,
      });
    } catch (error) {
      console.log(`${error.stdout}\n${error.stderr}`);
      failed.push(seed + run);
    }
  }
  const found =
    failed.length === 0
      ? `${files.length} files hold with ${runs} seeds from ${seed}`
      : `fail with FAST_CHECK_SEED ${failed.join(', ')}`;
  return [
    {
      ...{ what: 'property tests, new seeds', found, expected: 'all hold' },
      holds: failed.length === 0,
    },
  ];
}
