// Reads output folders that are spoilt in every way that hostile-changes.mjs knows: each command says by name what is
// wrong, and touches nothing outside of the folder.
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { runCommandLine } from '../../packages/cli/dist/index.js';
import { MultigradError, randomState, resumeRandom } from '../../packages/core/dist/strategy.js';
import { tryCases } from './cases.mjs';
import { changes } from './hostile-changes.mjs';
import { newFolder, watchMemory } from './scratch.mjs';

process.setMaxListeners(0);

const settings = [
  ...['--preset', 'quick', '--backend', 'cpu', '--train-size', '16', '--test-size', '8'],
  ...['--validation-size', '8', '--batch-size', '8', '--epochs', '2', '--width', '1'],
  ...['--observe', '1', '--checkpoint', '1', '--out', 'out'],
];
/** Folders to spoil: a run that ended, one that was killed, an analysis. */
const sources = {
  ended: ['train', 'cg-mnist', '--strategy', 'pcgrad', ...settings],
  killed: ['train', 'cg-mnist', '--strategy', 'moco', ...settings],
  analysed: [
    ...['analyze', 'cg-mnist', '--strategies', 'sum', '--seeds', '1', '--grid', '3'],
    ...['--batches', '2', '--landscape-size', '8', ...settings],
  ],
};

/** A stack or a slip of ours, where a named error should be. */
const slip =
  /^ +at .+:\d+:\d+\)?$|\b(Type|Range|Reference|Syntax)Error\b(?!: (Unexpected|Expected|Bad|Unterminated|Invalid|Exponent|JSON|.* in JSON|.*JSON))|Cannot (read|set) propert|Cannot (convert|destructure)|is not (a function|iterable)|call stack/m;
// eslint-disable-next-line no-control-regex -- what steers a terminal is looked for
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;
/** No command takes as long on a folder of a few kilobytes. */
const patience = 120_000;

/** What a folder holds, with contents: any change shows. */
function contentOf(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return JSON.stringify(
    names.map((name) => {
      const path = join(folder, name);
      const { mtimeMs } = statSync(path);
      return [name, mtimeMs, statSync(path).isFile() ? readFileSync(path, 'utf8') : null];
    }),
  );
}

/** Runs a command; stopped before the first training step where it would train. */
async function command(args, folder, { aborted = false, draw = true } = {}) {
  const interruption = new AbortController();
  if (aborted) interruption.abort();
  const lines = [];
  const print = (line) => {
    lines.push(line);
    if (/^\[\d+\/\d+\]/.test(line)) interruption.abort();
  };
  const environment = {
    ...{ terminal: null, print, complain: print, folder, signal: interruption.signal },
    ...(draw ? {} : { draw: () => Promise.resolve('<svg></svg>') }),
  };
  const late = new AbortController();
  try {
    const running = runCommandLine(args, environment);
    const tooLate = wait(patience, null, { signal: late.signal }).then(() => {
      throw new Error(`\`${args[0]}\` takes more than ${patience / 1000} s`);
    });
    tooLate.catch(() => undefined);
    return { code: await Promise.race([running, tooLate]), lines };
  } finally {
    late.abort();
  }
}

/** What came of a command, in a word; throws where it is no error of ours. */
function outcomeOf(where, { code, lines }) {
  const told = lines.join('\n');
  if (slip.test(told))
    throw new Error(`${where}: a slip is shown as it is. ${told.slice(0, 2000)}`);
  if (steering.test(told))
    throw new Error(`${where}: steers the terminal. ${JSON.stringify(told)}`);
  return code === 0 || code === 130 ? 'read' : 'named';
}

async function makeSources(root) {
  for (const [name, args] of Object.entries(sources)) {
    const folder = join(root, 'sources', name);
    mkdirSync(folder, { recursive: true });
    const lines = [];
    const print = (line) => lines.push(line);
    const { signal } = new AbortController();
    const code = await runCommandLine(args, {
      terminal: null,
      print,
      complain: print,
      folder,
      signal,
    });
    if (code !== 0) throw new Error(lines.join('\n'));
    const runs = join(folder, 'out', 'runs');
    for (const run of readdirSync(runs)) {
      if (name === 'killed') rmSync(join(runs, run, 'result.json'));
      // One checkpoint is enough.
      const kept = readdirSync(join(runs, run, 'checkpoints')).sort();
      for (const one of kept.slice(0, -1))
        rmSync(join(runs, run, 'checkpoints', one), { recursive: true });
    }
  }
}

/**
 * Reads the spoilt folders `from` to `from + count - 1` with report, watch and resume, and some with export. Each is made of
 * the seed and its number alone.
 *
 * @param drawn - every how manyth has its charts drawn; the others have none
 * @param exported - the share that is exported too
 * @returns how many were tried, how often each thing came of it, which were not read or refused by name, and the most
 *   resident memory beyond that before
 */
export async function hostileFolders({ seed, drawn = 100, exported = 0.125, ...range }) {
  const root = newFolder('hostile');
  const beside = join(root, 'beside');
  mkdirSync(join(beside, 'deep'), { recursive: true });
  writeFileSync(join(beside, 'kept.txt'), 'kept');
  try {
    await makeSources(root);
    const untouched = contentOf(beside);
    const counts = {};
    const kinds = Object.keys(changes);
    const bases = Object.keys(sources);
    const memory = watchMemory(Math.min(100, range.count >> 3));
    const found = await tryCases('hostile folders', range, async (index) => {
      memory.look();
      const random = resumeRandom(randomState(seed, 'hostile', index));
      const kind = kinds[index % kinds.length];
      // Few of those that go on to train: what follows takes longer.
      const base = random.uniform() < 0.05 ? bases[1] : bases[random.integer(2) * 2];
      const work = join(root, 'work');
      const out = join(work, 'out');
      rmSync(work, { recursive: true, force: true });
      cpSync(join(root, 'sources', base), work, { recursive: true });
      changes[kind](out, random, beside);
      const draw = index % drawn === 0;
      const [run] = readRunNames(join(root, 'sources', base));
      const commands = {
        report: () => command(['report', 'out'], work, { draw }),
        watch: () => command(['watch', 'out'], work, { aborted: true, draw }),
        resume: () => command(['resume', 'out'], work, { draw }),
        // It opens the data set, which takes ten times as long as all the others.
        ...(random.uniform() < exported && {
          export: () => command(['export', join('out', 'runs', run), '--to', 'exported'], work),
        }),
      };
      for (const [name, run] of Object.entries(commands)) {
        const where = `${kind}, ${base}, ${name}`;
        let outcome;
        try {
          outcome = outcomeOf(where, await run());
        } catch (error) {
          if (error.message.startsWith(where)) throw error;
          // `runCommandLine` says errors of ours and throws others.
          const what = MultigradError.isInstance(error) ? 'an error that is not said' : 'a stack';
          throw new Error(`${where}: ${what}. ${error.stack}`, { cause: error });
        }
        const key = `${name}: ${outcome}`;
        counts[key] = (counts[key] ?? 0) + 1;
        if (contentOf(beside) !== untouched) throw new Error(`${where}: touches what is beside.`);
        const there = readdirSync(root).sort().join();
        if (there !== 'beside,sources,work') throw new Error(`${where}: leaves ${there}.`);
        const made = readdirSync(work).filter((one) => one !== 'out' && one !== 'exported');
        if (made.length > 0) throw new Error(`${where}: leaves ${made.join()}.`);
      }
    });
    return { counts, mebibytes: memory.most(), ...found };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const readRunNames = (folder) => readdirSync(join(folder, 'out', 'runs'));
