// What may happen to a training: it is resumed, disturbed by calls from outside, and given odd names. Each part prints what it
// finds and returns its figures, as those of parts.mjs do.
import { killEachMethod, methodNames, steps } from './balancing.mjs';
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

/** Kills under every balancing method. @param given.methods - names with plus signs between them; all where left out */
export async function writeBalancing(given) {
  const { methods, ...rest } = { backend: 'cpu', seed: 1, ...given };
  const names = methods === undefined ? methodNames : methods.split('+');
  let failures = 0;
  for await (const { method, step, wrong } of killEachMethod({ ...rest, methods: names })) {
    console.log(`balancing: ${method}: ${wrong ?? `killed after step ${step} of ${steps}`}`);
    if (wrong !== undefined) failures += 1;
  }
  return [
    {
      what: `kills of balancing methods on ${rest.backend}`,
      found: `${names.length - failures} of ${names.length} with the same weights`,
      expected: 'all, and none without effect',
      holds: failures === 0,
    },
  ];
}
