import { mistaken } from './mistaken.mjs';

/** What the outcomes of two runs of the same tests say, by test: stock and ours. */
export function compare(stock, ours) {
  const keys = [...stock.keys()];
  const missing = keys.filter((key) => !ours.has(key));
  if (missing.length > 0 || ours.size !== stock.size) {
    throw new Error(
      `Both runs should have the same tests. Found ${stock.size} and ${ours.size}; missing: ${missing.slice(0, 3).join(', ')}.`,
    );
  }
  const run = keys.filter((key) => !isSwitchedOff(stock.get(key).status));
  const passes = (outcomes) => run.filter((key) => outcomes.get(key).status === 'passed');
  const [before, after] = [passes(stock), passes(ours)];
  const [passedBefore, passedAfter] = [new Set(before), new Set(after)];
  return {
    tests: run.length,
    stock: before,
    ours: after,
    kept: before.filter((key) => passedAfter.has(key)),
    repairs: after.filter((key) => !passedBefore.has(key)),
    regressions: [
      ...before.filter((key) => !passedAfter.has(key) && !mistaken.has(key)),
      // What is listed as mistaken, and passes: the list is out of date.
      ...after.filter((key) => passedBefore.has(key) && mistaken.has(key)),
    ].map((key) => ({ key, ...ours.get(key) })),
  };
}

/** Whether a test is about gradients, by its name. */
export function isOfGradient(key) {
  return /grad|derivative/i.test(key);
}

/** Whether upstream has switched a test off, by its status. */
export function isSwitchedOff(status) {
  return status === 'pending' || status === 'excluded';
}
