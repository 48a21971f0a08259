// The parts of the soak test that attack what is kept: locks, file operations that fail, power cuts, signals. Each prints
// what it finds and returns its figures, as those in parts.mjs do.
import { raceForLocks } from './lock-races.mjs';
import { caseFigure, inShards } from './shards.mjs';
import { pairs } from './signals.mjs';

/** Processes that race for one lock. */
export async function writeLocks(given) {
  const figures = [];
  const crowds = given.processes === undefined ? [2, 8] : [given.processes];
  for (const processes of crowds) {
    const found = await raceForLocks({ rounds: 2000, seed: 1, ...given, processes });
    for (const [place, { rounds, got, refused, twice, empty, killed, errors }] of Object.entries(
      found,
    )) {
      const told = Object.entries(errors).map(([error, times]) => `${times} times ${error}`);
      console.log(
        `locks: ${processes} processes, ${place}: ${rounds} rounds, got ${got} times, refused ${refused}, ` +
          `killed ${killed}, held by two ${twice}; nobody had it in ${empty} rounds. ${told.join('; ')}`,
      );
      // What is no lock of ours is named, and nobody gets it.
      const dangling = place === 'dangling';
      figures.push({
        what: `lock, ${processes} processes, ${place}`,
        found: `${rounds} rounds, held by two ${twice}, by none ${empty}`,
        expected: dangling ? 'never held by anybody' : 'never two, never none',
        holds: twice === 0 && (dangling ? got === 0 : empty === 0 && told.length === 0),
      });
    }
  }
  return figures;
}

/** File operations that fail, and processes that die in them; `only=library`, or `only=command`. */
export async function writeFaults(given) {
  const figures = [];
  for (const [work, what] of [
    ['libraryFaults', 'faults in the library'],
    ['commandFaults', 'faults in train and resume'],
  ]) {
    if (given.only !== undefined && !work.startsWith(given.only)) continue;
    const result = await inShards(work, { every: 1, ...given });
    const [{ operations, faults, left }] = result.found;
    const of =
      typeof operations === 'number' ? { 'restore, save and prune': operations } : operations;
    const told = Object.entries(of).map(([name, count]) => `${count} operations of ${name}`);
    console.log(`faults: ${result.tried} of ${faults}, in ${told.join(' and ')}.`);
    const found = `${result.tried} of ${faults}`;
    figures.push(caseFigure(what, result, left, found, 'no step, no checkpoint lost'));
  }
  return figures;
}

/** Power cuts; and whether a disk that does not write what it said it had is noticed. */
export async function writePowerCuts(given) {
  const usual = { count: 200, seed: 1, ...given };
  usual.of = given.of ?? usual.count;
  const cuts = await inShards('powerCuts', usual);
  const lies = await inShards('powerCuts', { ...usual, lying: 'steps.jsonl' });
  console.log(
    `power: ${cuts.tried} cuts over ${cuts.found[0].operations} operations; ${cuts.counts.begun} before there was ` +
      `anything to resume; ${cuts.counts.named} with a gap that was named, the others with the same figures. On a disk ` +
      `that had not written what it said, ${lies.counts.named} gaps named.`,
  );
  const figure = caseFigure(
    ...['power cuts', cuts, usual.count],
    ...[`${cuts.tried} runs, ${cuts.counts.named} gaps`, 'the same records and weights, no gap'],
  );
  const lying = caseFigure(
    ...['power cuts, a disk that lies', lies, usual.count],
    ...[`${lies.counts.named} gaps named`, 'some, all of them named'],
  );
  return [
    { ...figure, holds: figure.holds && cuts.counts.named === 0 },
    { ...lying, holds: lying.holds && lies.counts.named > 0 },
  ];
}

/** Signals, closed readers and full disks in every phase of a run. */
export async function writeSignals(given) {
  const { from = 0, every = 1 } = given;
  const count = Math.min(given.count ?? pairs.length, pairs.length - from);
  const result = await inShards('signals', { ...given, from, every, count });
  const left = Object.entries(result.counts).map(([what, times]) => `${what} ${times}`);
  const found = `${result.tried} of ${pairs.length} pairs`;
  console.log(`signals: ${found} of event and phase; left: ${left.join(', ')}.`);
  const expected = 'a reason; the same records and weights after resuming';
  return [
    caseFigure('signals and closed readers', result, Math.ceil(count / every), found, expected),
  ];
}
