// Tries a numbered list of cases.

/** After so many failures a part stops: they probably have one cause. */
const mostFailures = 10;
/** Milliseconds between two lines of progress. */
const pause = 60_000;

/**
 * Tries the cases `from` to `from + count - 1`, of which this process takes every `workers`-th one. It goes on after a
 * failure, until there are ten. Once a minute it says on the error output how far it is: `from=` goes on from there.
 *
 * @param attempt - tries a case by its number, and throws where it fails
 * @returns how many were tried, and what failed, as texts
 */
export async function tryCases(name, { from = 0, count, workers = 1, shard = 0 }, attempt) {
  const failures = [];
  let [tried, told] = [0, performance.now()];
  for (let index = from + shard; index < from + count; index += workers) {
    tried += 1;
    try {
      await attempt(index);
    } catch (error) {
      failures.push(`from=${index} count=1: ${error.stack}`);
      if (failures.length === mostFailures) break;
    }
    if (performance.now() - told < pause) continue;
    told = performance.now();
    console.error(`${name}: at ${index} of ${from} to ${from + count - 1}`);
  }
  return { tried, failures };
}
