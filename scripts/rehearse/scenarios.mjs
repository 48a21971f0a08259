import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSite } from './browser.mjs';
import { quickStarts } from './quick-starts.mjs';
import { run } from './run.mjs';

const root = join(import.meta.dirname, '..', '..');
const fixtures = join(import.meta.dirname, 'fixtures');
const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const tool = (name) => `${name}@${devDependencies[name]}`;
const lastLine = (output) => output.trimEnd().split('\n').at(-1);

/** A folder of somebody who has nothing yet. */
function newFolder(parent, name) {
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  return folder;
}

function installed(folder) {
  return readdirSync(join(folder, 'node_modules')).flatMap((name) =>
    name.startsWith('@')
      ? readdirSync(join(folder, 'node_modules', name)).map((part) => `${name}/${part}`)
      : [name],
  );
}

function hasFiniteNumbers(output) {
  assert.match(output, /\d/);
  assert.doesNotMatch(output, /NaN|Infinity/);
}

/**
 * As users write it down: what `tsc --init` sets, in the manner of Node, and what bundlers need. TensorFlow.js's own types
 * contradict those of today's browsers, so with it `skipLibCheck` is on, as `tsc --init` has it.
 */
const configurations = {
  nodenext: {
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'dom'],
    types: [],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    isolatedModules: true,
    outDir: 'out',
  },
  bundler: {
    module: 'preserve',
    moduleResolution: 'bundler',
    target: 'es2023',
    lib: ['es2023', 'dom'],
    types: [],
    strict: true,
    noEmit: true,
  },
};

/** The quick starts of the pages, by what they install: nothing else is there when they are compiled and run. */
function byPackages() {
  const folders = new Map();
  for (const page of ['README.md', 'docs/getting-started.md']) {
    const starts = quickStarts(join(root, page));
    assert.equal(starts.length, 3, `${page} has ${starts.length} quick starts`);
    for (const { packages, programs } of starts) {
      const key = [...packages].sort().join(' ');
      const { programs: others } = folders.get(key) ?? { programs: [] };
      folders.set(key, { packages, programs: [...others, ...programs] });
    }
  }
  return [...folders.values()];
}

/** The quick starts, compiled under both resolutions and run. */
async function pages(parent, env) {
  let count = 0;
  for (const [at, { packages, programs }] of byPackages().entries()) {
    const folder = newFolder(parent, `quick-start-${at}`);
    const options = { cwd: folder, env };
    await run('npm', ['install', ...packages], options);
    const takesTensors = packages.some((name) => name.startsWith('@tensorflow/'));
    if (!takesTensors) {
      const tensors = installed(folder).filter((name) => /tensorflow/i.test(name));
      assert.deepEqual(tensors, [], 'a strategy brings a tensor library along');
    }
    await run('npm', ['install', '--save-dev', tool('typescript')], options);
    const files = programs.map((code, index) => {
      writeFileSync(join(folder, `program-${index}.ts`), code);
      return `program-${index}.ts`;
    });
    for (const [name, compilerOptions] of Object.entries(configurations)) {
      const path = join(folder, `tsconfig.${name}.json`);
      const skipLibCheck = takesTensors;
      writeFileSync(
        path,
        JSON.stringify({ compilerOptions: { ...compilerOptions, skipLibCheck }, files }),
      );
      await run('npx', ['tsc', '--project', path], options);
    }
    for (const file of files) {
      hasFiniteNumbers(await run('node', [`out/${file.replace('.ts', '.js')}`], options));
      count += 1;
    }
  }
  return `${count} quick starts of README and site`;
}

/** Plain JavaScript and CommonJS. */
async function javascript(parent, env) {
  const folder = newFolder(parent, 'javascript');
  const options = { cwd: folder, env };
  cpSync(join(fixtures, 'loop.mjs'), join(folder, 'loop.mjs'));
  cpSync(join(fixtures, 'loop.cjs'), join(folder, 'loop.cjs'));
  await run(
    'npm',
    [
      'install',
      '@multigrad/core',
      '@multigrad/strategy-mmpareto',
      '@multigrad/backends',
      '@tensorflow/tfjs-core',
      '@tensorflow/tfjs-layers',
    ],
    options,
  );
  const { near, far } = JSON.parse(lastLine(await run('node', ['loop.mjs'], options)));
  // The targets are √8 apart; where no loss can fall without the other rising, the ways to both add up to that.
  const ways = Math.sqrt(2 * near) + Math.sqrt(2 * far);
  assert.ok(ways < 1.05 * Math.sqrt(8), `losses ${near} and ${far}`);
  const { cosine, norm } = JSON.parse(lastLine(await run('node', ['loop.cjs'], options)));
  assert.ok(Math.abs(cosine + 1) < 1e-5, `cosine ${cosine}`);
  assert.equal(norm, 25);
  return 'JavaScript, CommonJS';
}

/** The command, installed and through npx alone. */
async function command(parent, env) {
  const folder = newFolder(parent, 'command');
  const options = { cwd: folder, env };
  await run('npm', ['install', '@multigrad/cli'], options);
  const { version } = JSON.parse(
    readFileSync(join(folder, 'node_modules/@multigrad/cli/package.json'), 'utf8'),
  );
  const words =
    'compare cg-mnist --strategies sum,mmpareto --epochs 1 --train-size 96 --test-size 50 --validation-size 0 --width 2 --seeds 1 --out out';
  hasFiniteNumbers(await run('npx', ['multigrad', ...words.split(' ')], options));
  for (const file of ['table.md', 'report.html', 'runs/mmpareto-seed0/result.json'])
    assert.ok(existsSync(join(folder, 'out', file)), `${file} is missing`);
  const elsewhere = newFolder(parent, 'npx');
  const printed = await run('npx', ['--yes', '@multigrad/cli', '--version'], {
    cwd: elsewhere,
    env,
  });
  assert.equal(lastLine(printed), version);
  return 'the command';
}

/** A page built by Vite that trains in Chromium. */
async function browser(parent, env) {
  const folder = newFolder(parent, 'browser');
  const options = { cwd: folder, env };
  for (const file of ['browser.js', 'index.html']) cpSync(join(fixtures, file), join(folder, file));
  const [{ packages }] = quickStarts(join(root, 'README.md'));
  await run('npm', ['install', ...packages], options);
  await run('npm', ['install', '--save-dev', tool('vite')], options);
  await run('npx', ['vite', 'build'], options);
  const { outcome, complaints } = await openSite(join(folder, 'dist'));
  assert.deepEqual(complaints, []);
  assert.equal(outcome.backend, 'wasm');
  const [first, last] = [outcome.losses[0], outcome.losses.at(-1)];
  assert.ok(last < first, `the loss went from ${first} to ${last}`);
  return 'a page in Chromium';
}

/** What a newcomer does, in order of time taken. */
export const scenarios = [pages, javascript, command, browser];
