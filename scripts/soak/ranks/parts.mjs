// The parts of the soak test for several ranks. Over Open MPI where `mpirun` is there.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { caseFigure } from '../shards.mjs';
import { exactness } from './exactness.mjs';
import { kinds, rankFaults } from './faults.mjs';

const root = join(import.meta.dirname, '../../..');

function communicatorsOf({ communicator }) {
  if (communicator !== undefined) return [communicator];
  return spawnSync('mpirun', ['--version']).status === 0 ? ['tcp', 'mpi'] : ['tcp'];
}

/**
 * Faults at random moments, ten of each kind. What has held is kept in `records=`, a file, and not tried again; `only=` is one
 * kind, `communicator=` is `tcp` or `mpi`.
 */
export async function writeRanks(given) {
  const figures = [];
  const usual = {
    ...{ from: 0, count: 60, seed: 1 },
    records: join(root, 'node_modules/.cache/multigrad-soak/rank-faults.jsonl'),
  };
  for (const communicator of communicatorsOf(given)) {
    const result = await rankFaults({ ...usual, ...given, communicator });
    const { records, skipped, noHosts } = result;
    if (noHosts !== null) console.log(`ranks: ${skipped} cables not cut, for ${noHosts}`);
    const told = kinds.map((kind) => {
      const own = records.filter((one) => one.kind === kind);
      const longest = Math.max(0, ...own.map(({ took }) => took));
      return `${own.length} ${kind} (at most ${longest.toFixed(1)} s)`;
    });
    const wentOn = records.filter((one) => one.wentOn).length;
    console.log(`ranks over ${communicator}: ${told.join(', ')}; ${wentOn} jobs went on.`);
    const found = `${records.length} moments, ${wentOn} jobs went on`;
    const expected = 'ended in time with the right name; resumed, the same weights';
    const count = given.count ?? usual.count;
    figures.push(caseFigure(`faults of ranks, ${communicator}`, result, count, found, expected));
  }
  return figures;
}

/** Every strategy in several ways by 1 to 4 ranks, beside one process; `ranks=` is one number of them. */
export async function writeExactness(given) {
  const ranks = given.ranks === undefined ? [1, 2, 3, 4] : [given.ranks];
  const found = await exactness({ communicators: communicatorsOf(given), ranks });
  return found.map(({ communicator, ranks: size, agree, refused, largest, apart }) => {
    for (const one of apart)
      console.error(`agreement: ${communicator}, ${size}: ${JSON.stringify(one)}`);
    return {
      ...{ what: `${size} ranks over ${communicator}`, holds: apart.length === 0 },
      found: `${agree} ways agree, at most ${largest.toExponential(1)} apart; ${refused} refused alike, ${apart.length} apart`,
      expected: 'within twice one process with reordered samples',
    };
  });
}
