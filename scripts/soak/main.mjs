// npm run soak [-- PART] [key=value ...] [--strict], PART being one of `parts` below: what takes too long for the test
// suite. Each part prints what it finds. A table of all figures beside what they should be closes it, and the exit code is 1
// where one is broken. `faults`, `power`, `signals`, `ranks` and `hostile` take `from=` and `count=` (which cases), and `workers=`
// (how many processes share them). On a loaded machine throughput is shown and not judged; --strict judges it there too.
import { writeFigures } from './figures.mjs';
import { writeHostile } from './hostile.mjs';
import { writeFaults, writeLocks, writePowerCuts, writeSignals } from './kept.mjs';
import { writeBalancing, writeNames, writeOverlaps, writeResume } from './training.mjs';
import { writeDisk, writeExact, writeFuzz, writeKills, writeMany, writeSteady } from './parts.mjs';
import { writeProperties } from './properties.mjs';
import { writeExactness, writeRanks } from './ranks/parts.mjs';
import { writeGrowths, writeLosses, writeStarts } from './threads/parts.mjs';

const strict = process.argv.includes('--strict');
const [only, ...settings] = process.argv.slice(2).filter((argument) => argument !== '--strict');
const given = Object.fromEntries(
  settings.map((setting) => {
    const [key, value] = setting.split('=');
    return [key, Number.isNaN(Number(value)) ? value : Number(value)];
  }),
);
const parts = {
  kills: () => writeKills(given),
  fuzz: () => writeFuzz(given),
  full: () => writeDisk(),
  locks: () => writeLocks(given),
  faults: () => writeFaults(given),
  power: () => writePowerCuts(given),
  signals: () => writeSignals(given),
  ranks: () => writeRanks(given),
  agreement: () => writeExactness(given),
  hostile: () => writeHostile(given),
  steady: () => writeSteady(given, strict),
  exact: () => writeExact(given),
  many: () => writeMany(given),
  resume: () => writeResume(given),
  balancing: () => writeBalancing(given),
  names: () => writeNames(given),
  overlaps: () => writeOverlaps(given),
  starts: () => writeStarts(given),
  growths: () => writeGrowths(given),
  losses: () => writeLosses(given),
  properties: () => writeProperties(given),
};

if (only !== undefined && !(only in parts)) {
  throw new Error(`There is no part \`${only}\`: ${Object.keys(parts).join(', ')}.`);
}
const figures = [];
for (const [name, part] of Object.entries(parts)) {
  if (only !== undefined && only !== name) continue;
  const began = performance.now();
  try {
    figures.push(...(await part()));
  } catch (error) {
    console.error(error);
    figures.push({
      what: name,
      found: error.message.split('\n')[0],
      expected: 'no error',
      holds: false,
    });
  }
  const minutes = (performance.now() - began) / 60_000;
  figures.push({ what: `${name}: time`, found: `${minutes.toFixed(1)} min`, expected: '' });
}
writeFigures(figures);
if (figures.some(({ holds }) => holds === false)) process.exitCode = 1;
