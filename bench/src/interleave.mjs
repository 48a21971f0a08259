// Times several cases in turn, A B C A B C …, so that a machine that slows down slows all of them.

/**
 * @param {Record<string, () => Promise<void>>} cases
 * @param {{ warmup: number, rounds: number }} options
 * @returns {Promise<Record<string, number[]>>} milliseconds of each round
 */
export async function interleave(cases, { warmup, rounds }) {
  const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = -warmup; round < rounds; round += 1) {
    for (const [name, run] of Object.entries(cases)) {
      const start = performance.now();
      await run();
      if (round >= 0) times[name].push(performance.now() - start);
    }
  }
  return times;
}

/** The value below which the share `q` of the numbers lies. */
export function quantile(numbers, q) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

/** Round by round ratio of two cases: the median, and the quartiles around it. */
export function ratio(a, b) {
  const ratios = a.map((value, round) => value / b[round]);
  return {
    median: quantile(ratios, 0.5),
    low: quantile(ratios, 0.25),
    high: quantile(ratios, 0.75),
  };
}
