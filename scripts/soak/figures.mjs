// What the soak test's figures should be, and the table that shows it.

/** Bytes per step above noise that count as a leak: the smallest object of JavaScript takes more. */
const leak = 16;
/** Bytes that the history of `fit` may keep of an epoch: a number for each of its columns. */
const historyOfEpoch = 250;
/** The share of the first tenth's throughput that the last must reach. */
const slowdown = 0.95;

/**
 * The figures of long training.
 *
 * @param judged - whether throughput is judged, or shown alone
 */
export function steadyFigures(
  { backend, steps, epochs, tensors, replayed, heap, resident, first, last },
  judged,
) {
  const kept = leak + (historyOfEpoch * epochs) / steps;
  const drift = resident.rate * steps;
  const on = `${steps} steps on ${backend}`;
  return [
    {
      ...{ what: `tensors, ${on}`, found: tensors.join(', ') },
      ...{ expected: 'one number', holds: tensors.length === 1 },
    },
    {
      ...{ what: `backward passes by a plan, ${on}`, found: String(replayed) },
      ...{ expected: 'all but the first two', holds: replayed === steps - 2 },
    },
    {
      ...{ what: `heap per 1000 steps, ${on}`, found: perThousand(heap) },
      expected: `below ${kibibytes(kept * 1000)} KiB beside three errors`,
      holds: heap.rate - 3 * heap.error < kept,
    },
    {
      what: `resident memory, ${on}`,
      found: `drifts by ${asMebibytes(drift)} MiB, comes and goes by ${asMebibytes(resident.spread)} MiB`,
      expected: 'drifts by less than it comes and goes',
      holds: drift < resident.spread,
    },
    {
      ...{ what: `last tenth / first, ${on}`, found: (last / first).toFixed(3) },
      expected: `at least ${slowdown}${judged ? '' : '; not judged: loaded machine'}`,
      ...(judged ? { holds: last / first >= slowdown } : {}),
    },
  ];
}

/** The figures of solvers against exact arithmetic, by strategy. */
export function exactFigures(sums, where) {
  return [...sums].map(([name, sum]) => ({
    what: `${name}, ${where}`,
    found:
      `${sum.notFinite} not finite, ${sum.longer} too long, ${sum.zero} zero; of its bound: ` +
      `error ${sum.error.toPrecision(2)}, conflict ${sum.conflict.toPrecision(2)}, rounding ${sum.rounding.toPrecision(2)}`,
    expected: 'none, none; at most 1 each',
    holds:
      sum.answers > 0 &&
      sum.notFinite === 0 &&
      sum.longer === 0 &&
      Math.max(sum.error, sum.conflict, sum.rounding) <= 1,
  }));
}

function kibibytes(bytes) {
  return (bytes / 1024).toFixed(2);
}

/** Bytes as MiB. */
export function asMebibytes(bytes) {
  return (bytes / 2 ** 20).toFixed(1);
}

/** A slope of memory with its standard error. */
export function perThousand({ rate, error }) {
  return `${kibibytes(rate * 1000)} ± ${kibibytes(error * 1000)} KiB`;
}

/** The closing table. */
export function writeFigures(figures) {
  const rows = [
    ['what', 'found', 'expected', ''],
    ...figures.map(({ what, found, expected, holds }) => [
      ...[what, found, expected],
      holds === undefined ? '' : holds ? 'holds' : 'BROKEN',
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)));
  console.log('');
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}
