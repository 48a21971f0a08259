/**
 * The partition of K numbers into groups with the least sum of squared distances to the groups' means: the optimum of
 * K-means in one dimension, by dynamic programming over the sorted numbers.
 *
 * @param values - finite numbers >= 0
 * @param groups - an integer >= 1; K groups of one number each where it exceeds K
 * @returns of each number the mean of its group
 */
export function meansOfGroups(values: Float64Array, groups: number): Float64Array {
  const size = values.length;
  if (groups >= size) return values.slice();
  const greatest = values.reduce((most, value) => Math.max(most, value), 0);
  if (greatest === 0) return values.slice();
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  // Divided by the greatest, so that no square overflows.
  const sorted = Float64Array.from(order, (k) => values[k]! / greatest);
  // best[j] is the least cost of the first j numbers; cuts[g][j] is where the last of g + 1 groups begins.
  let best = Float64Array.from({ length: size + 1 }, (_, end) => spread(sorted, 0, end));
  const cuts = [new Int32Array(size + 1)];
  for (let group = 1; group < groups; group += 1) {
    const next = new Float64Array(size + 1);
    const cut = new Int32Array(size + 1);
    for (let end = 0; end <= size; end += 1) {
      next[end] = Infinity;
      for (let begin = 0; begin <= end; begin += 1) {
        const cost = best[begin]! + spread(sorted, begin, end);
        if (cost < next[end]!) [next[end], cut[end]] = [cost, begin];
      }
    }
    best = next;
    cuts.push(cut);
  }
  const means = new Float64Array(size);
  let end = size;
  for (const cut of cuts.reverse()) {
    const begin = cut[end]!;
    const mean = meanOf(sorted, begin, end);
    for (let place = begin; place < end; place += 1) means[order[place]!] = mean * greatest;
    end = begin;
  }
  return means;
}

/** Sum of squared distances of `sorted[begin … end − 1]` to their mean. */
function spread(sorted: Float64Array, begin: number, end: number): number {
  const mean = meanOf(sorted, begin, end);
  let sum = 0;
  for (let place = begin; place < end; place += 1) sum += (sorted[place]! - mean) ** 2;
  return sum;
}

function meanOf(sorted: Float64Array, begin: number, end: number): number {
  let sum = 0;
  for (let place = begin; place < end; place += 1) sum += sorted[place]!;
  return begin === end ? 0 : sum / (end - begin);
}
