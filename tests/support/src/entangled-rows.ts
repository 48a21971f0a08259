import { randomState, resumeRandom } from '@multigrad/core/strategy';

/**
 * Rows of whole numbers that are entangled: opposite, duplicated, combined of others, nearly opposite, zero now and then.
 *
 * Three kinds of matrices in turn: mixtures; nothing but pairs of opposites; rows that all lean to one side, which have
 * a common descent direction.
 *
 * @param seed - what the entries follow from
 * @param size - number of rows, K >= 2
 * @returns K rows of 1 … K + 3 numbers
 */
export function entangledRows(seed: number, size: number): number[][] {
  const random = resumeRandom(randomState(seed, 'entangled rows', size));
  const below = (bound: number): number => Math.floor(random.uniform() * bound);
  const columns = 1 + below(size + 3);
  const largest = [1, 3, 9, 30][below(4)]!;
  const fresh = (): number[] =>
    Array.from({ length: columns }, () => below(2 * largest + 1) - largest);
  const [pairs, leaning] = [seed % 3 === 1, seed % 3 === 2];
  const rows: number[][] = [];
  while (rows.length < size) {
    const older = rows[below(rows.length)];
    const kind = pairs ? 0.1 : random.uniform();
    if (older === undefined || kind < 0.35) {
      const row = fresh();
      rows.push(row);
      if (pairs || random.uniform() < 0.3) rows.push(row.map((value) => -value));
    } else if (kind < 0.5) {
      rows.push(older.map((value) => -(1 + below(3)) * value));
    } else if (kind < 0.65) {
      rows.push([...older]);
    } else if (kind < 0.72) {
      const close = -(2 ** (1 + below(16)));
      const other = fresh();
      rows.push(older.map((value, c) => close * value + other[c]!));
    } else if (kind < 0.9) {
      const other = rows[below(rows.length)]!;
      const [a, b] = [below(5) - 2, below(5) - 2];
      rows.push(older.map((value, c) => a * value + b * other[c]!));
    } else if (kind < 0.97) {
      // What makes up for all the others.
      rows.push(older.map((_, c) => -rows.reduce((sum, row) => sum + row[c]!, 0)));
    } else {
      rows.push(older.map(() => 0));
    }
  }
  const side = fresh();
  const kept = rows.slice(0, size).map((row) => {
    const product = row.reduce((sum, value, c) => sum + value * side[c]!, 0);
    return leaning && product < 0 ? row.map((value) => -value) : row;
  });
  return Array.from(random.permutation(size), (k) => kept[k]!);
}
