import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { openSite } from './browser.mjs';
import { drawShots, machinesCsv } from './fixtures/your-data.mjs';
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

/** A block of a page: the first of its language. */
function firstBlock(page, language) {
  const [, code] = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page) ?? [];
  assert.ok(code, `no block of ${language} in ${page}`);
  return code;
}

/** A block of a page: the first of its language below a heading. */
function blockBelow(page, heading, language) {
  return firstBlock(page.split(`\n## ${heading}\n`)[1] ?? '', language);
}

/** The commands of a block, as lists of words. */
function commandsIn(block) {
  const lines = block.split('\n').map((line) => line.replace(/ +# .*$/, ''));
  return lines.filter((line) => line !== '').map((line) => line.split(' '));
}

/** The figures of a comparison's folder: five strategies, all objectives, a report. */
function assertReport(folder, objectives) {
  const table = readFileSync(join(folder, 'table.csv'), 'utf8');
  hasFiniteNumbers(table);
  for (const objective of objectives) assert.ok(table.includes(objective), `no ${objective}`);
  const runs = readdirSync(join(folder, 'runs'));
  assert.equal(new Set(runs.map((run) => run.replace(/-seed\d+$/, ''))).size, 5, runs.join(' '));
  assert.ok(statSync(join(folder, 'report.html')).size > 10_000);
}

/** An experiment of one's own, from an empty folder to a report: what docs/your-data.md says, word for word. */
async function yourData(parent, env) {
  const page = readFileSync(join(root, 'docs/your-data.md'), 'utf8');
  const folder = join(parent, 'your-data');
  mkdirSync(folder, { recursive: true });
  const options = { cwd: folder, env };
  for (const [program, ...words] of commandsIn(blockBelow(page, 'From nothing to a report', 'sh')))
    await run(program, words, options);
  assertReport(join(folder, 'runs/first'), ['price', 'kind', 'sold']);
  await run('npx', ['multigrad', 'init', 'seen-and-heard', '--multimodal', '--js'], options);

  await run(
    'npm',
    blockBelow(page, 'Pictures in folders', 'sh').trim().split(' ').slice(1),
    options,
  );
  const own = join(folder, 'my-experiment');
  writeFileSync(join(own, 'machines.csv'), machinesCsv());
  const { default: sharp } = await import('sharp');
  await drawShots(own, sharp);
  const names = { machines: 'A CSV file', shots: 'Pictures in folders' };
  for (const [name, heading] of Object.entries(names))
    writeFileSync(join(own, `${name}.ts`), blockBelow(page, heading, 'ts'));
  await run('npm', ['install', '--save-dev', tool('typescript')], options);
  await run('npx', ['tsc', '--project', own], options);
  const experiments = [
    ['my-experiment/machines.ts', 'runs/machines', ['fault', 'replace', 'hours']],
    ['my-experiment/shots.ts', 'runs/shots', ['multimodal', 'front', 'rear']],
    ['seen-and-heard/experiment.js', 'runs/heard', ['multimodal', 'image', 'sound']],
  ];
  for (const [file, out, objectives] of experiments) {
    // One epoch shows that all of it works; what is learnt is asserted by tests/your-data.test.ts.
    const words = ['--epochs', '1', '--seeds', '1', '--out', out];
    await run('npx', ['multigrad', 'compare', `./${file}`, ...words], options);
    assertReport(join(folder, out), objectives);
  }
  return 'experiments of one’s own from a CSV file, pictures and arrays';
}

/** Several ranks, in empty folders: the first commands of docs/distributed.md, and what the README of the package says. */
async function ranks(parent, env) {
  const page = readFileSync(join(root, 'docs/distributed.md'), 'utf8');
  const trained = join(parent, 'ranks-by-command');
  mkdirSync(trained, { recursive: true });
  // Two epochs of four batches show that they train; the page's own sizes take hours.
  const sizes =
    '--epochs 2 --train-size 96 --test-size 48 --validation-size 0 --batch-size 24 --width 2 --observe 1';
  for (const [program, ...words] of commandsIn(firstBlock(page, 'sh'))) {
    const all = program === 'npx' ? [...words, ...sizes.split(' ')] : words;
    await run(program, all, { cwd: trained, env });
  }
  const [name] = readdirSync(join(trained, 'runs/by-four/runs'));
  const read = (file) =>
    readFileSync(join(trained, 'runs/by-four/runs', name, file), 'utf8').trim();
  const { status, communication } = JSON.parse(read('result.json'));
  assert.deepEqual([status, communication.ranks, communication.steps], ['finished', 4, 8]);
  hasFiniteNumbers(read('steps.jsonl'));

  const readme = readFileSync(join(root, 'packages/distributed/README.md'), 'utf8');
  const own = join(parent, 'ranks-by-program');
  mkdirSync(own, { recursive: true });
  const options = { cwd: own, env };
  for (const [program, ...words] of commandsIn(blockBelow(readme, 'Install', 'sh')))
    await run(program, words, options);
  const close = '  await communicator.close();\n';
  const code = blockBelow(readme, 'Use', 'js');
  assert.ok(code.includes(close));
  const say = `  console.log(JSON.stringify({ kernel: [...kernel.dataSync()] }));\n${close}`;
  writeFileSync(join(own, 'train.mjs'), code.replace(close, say));
  for (const [count, words] of [
    [2, ['npx', 'multigrad', 'launch', '-n', '2', 'node', 'train.mjs']],
    [1, ['node', 'train.mjs']],
  ]) {
    const output = await run(words[0], words.slice(1), options);
    const kernels = output.match(/\{"kernel":.*\}/g);
    assert.equal(kernels.length, count, output);
    assert.equal(new Set(kernels).size, 1, output);
    hasFiniteNumbers(kernels[0]);
  }
  return 'several ranks';
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
export const scenarios = [pages, javascript, command, ranks, yourData, browser];
