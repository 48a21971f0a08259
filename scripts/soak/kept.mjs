// The parts of the soak test that attack what is kept: locks, file operations that fail, power
// cuts, signals. Each prints what it
// finds and returns its figures, as those in parts.mjs do.
import { commandFaults } from './command-faults.mjs';
import { libraryFaults } from './library-faults.mjs';
import { raceForLocks } from './lock-races.mjs';
import { powerCuts } from './power-cuts.mjs';
import { signals } from './signals.mjs';

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

/** File operations that fail, and processes that die in them. */
export async function writeFaults(given) {
  const library = await libraryFaults({ every: 1, ...given });
  console.log(
    `faults: ${library.faults} in the ${library.operations} operations of restoring, saving and pruning; nothing lost.`,
  );
  const command = await commandFaults({ every: 1, ...given });
  const { train, resume } = command.counts;
  console.log(
    `faults: ${command.faults} in the ${train} operations of train and the ${resume} of resume; nothing lost.`,
  );
  const expected = 'no step, no checkpoint lost';
  return [
    { what: 'faults in the library', found: `${library.faults}`, expected, holds: true },
    { what: 'faults in train and resume', found: `${command.faults}`, expected, holds: true },
  ];
}

/** Power cuts; and whether a disk that does not write what it said it had is noticed. */
export async function writePowerCuts(given) {
  const usual = { count: 200, seed: 1, ...given };
  const { count, operations, begun, named } = await powerCuts(usual);
  console.log(
    `power: ${count} cuts over ${operations} operations; ${begun} before there was anything to resume; ` +
      `${named} with a gap that was named, the others with the same figures.`,
  );
  const lying = await powerCuts({ ...usual, lying: 'steps.jsonl' });
  console.log(`power: ${lying.named} gaps named where the disk had not written what it said.`);
  return [
    {
      ...{ what: 'power cuts', found: `${count} runs, ${named} gaps` },
      ...{ expected: 'the same records and weights, no gap', holds: named === 0 },
    },
    {
      ...{ what: 'power cuts, a disk that lies', found: `${lying.named} gaps named` },
      ...{ expected: 'some, all of them named', holds: lying.named > 0 },
    },
  ];
}

/** Signals, closed readers and full disks in every phase of a run. */
export async function writeSignals(given) {
  const { tried, pairs, counts } = await signals({ every: 1, ...given });
  const left = Object.entries(counts).map(([what, times]) => `${what} ${times}`);
  console.log(`signals: ${tried} of ${pairs} pairs of event and phase; left: ${left.join(', ')}.`);
  return [
    {
      ...{ what: 'signals and closed readers', found: `${tried} of ${pairs} pairs` },
      ...{ expected: 'a reason; the same records and weights after resuming', holds: true },
    },
  ];
}
