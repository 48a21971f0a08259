// What may happen to a training: it is resumed, disturbed by calls from outside, and given odd names. Each part prints what it
// finds and returns its figures, as those of parts.mjs do.
import { oddNames } from './names.mjs';
import { disturbed } from './overlaps.mjs';
import { resumeEverywhere } from './resume.mjs';

/** Runs that go on from every safe point. */
export async function writeResume(given) {
  const figures = [];
  const backends = given.backend === undefined ? ['cpu', 'wasm'] : [given.backend];
  for (const backend of backends) {
    const usual = { count: 150, seed: 1, epochs: 3 };
    const { configurations, resumed, stoppedEarly, skipped, different } = await resumeEverywhere({
      ...usual,
      ...given,
      backend,
    });
    console.log(
      `resume: ${resumed} safe points of ${configurations} configurations on ${backend}, ${stoppedEarly} of them stopped early, ` +
        `${skipped} with a step left out; ${different.length} ended with other bytes.`,
    );
    for (const one of different.slice(0, 10)) console.log(`  ${one}`);
    figures.push({
      what: `resume on ${backend}`,
      found: `${resumed} safe points of ${configurations} configurations, ${different.length} with other bytes`,
      expected: 'the same bytes from each',
      holds: different.length === 0,
    });
  }
  return figures;
}

/** Odd names. */
export async function writeNames(given) {
  const { right, refused, wrong } = await oddNames({
    count: 300,
    seed: 1,
    backend: 'cpu',
    ...given,
  });
  const times = [...refused.values()].reduce((sum, one) => sum + one, 0);
  console.log(
    `names: ${right} runs with odd names were right, ${times} refused, ${wrong.length} wrong:`,
  );
  for (const [reason, count] of refused) console.log(`  refused ${count} times: ${reason}`);
  for (const one of wrong.slice(0, 10)) console.log(`  wrong: ${one}`);
  return [
    {
      what: 'odd names',
      found: `${right} right, ${times} refused, ${wrong.length} wrong`,
      expected: 'right, or refused with the reason',
      holds: wrong.length === 0,
    },
  ];
}

/** Calls from outside while a training goes on. */
export async function writeOverlaps(given) {
  const { runs, accepted, refused, wrong } = await disturbed({
    runs: 300,
    seed: 1,
    backend: 'cpu',
    ...given,
  });
  console.log(
    `overlaps: ${runs} trainings disturbed by ${accepted + refused} calls, ${refused} of them refused; ${wrong.length} went wrong.`,
  );
  for (const one of wrong.slice(0, 10)) console.log(`  wrong: ${one}`);
  return [
    {
      what: 'overlapping calls',
      found: `${accepted} right, ${refused} refused, ${wrong.length} wrong in ${runs} trainings`,
      expected: 'refused or right, weights unharmed',
      holds: wrong.length === 0,
    },
  ];
}
