import { cosineMatrix, gramianOf, symmetricEigen } from '@multigrad/core/strategy';
import fc from 'fast-check';
import type { Matrix, Step } from './steps.ts';
import type { Subject } from './subject.ts';

/** Cases of K rows and P columns. */
export type Matrices = (rows: number, columns: number) => fc.Arbitrary<Matrix>;

// Integers make products exact, so duplicates, opposites and dependent rows are just that; without bias ties are rare.
const entry = fc.noBias(fc.integer({ min: -500, max: 500 }));

/** Rows without any relation, in general position where columns are as many. */
export const randomRows: Matrices = (rows, columns) =>
  fc.array(fc.array(entry, { minLength: columns, maxLength: columns }), {
    minLength: rows,
    maxLength: rows,
  });

/** Rows that lean against the first one. */
export const conflictingRows: Matrices = (rows, columns) => leaning(rows, columns, -1);

/** Rows that lean towards the first one. */
export const alignedRows: Matrices = (rows, columns) => leaning(rows, columns, 3);

/** Rows whose lengths differ by powers of two from 2⁻¹⁰ to 2¹⁰. */
export const badlyScaledRows: Matrices = (rows, columns) =>
  fc
    .tuple(
      randomRows(rows, columns),
      fc.array(fc.integer({ min: -10, max: 10 }), { minLength: rows, maxLength: rows }),
    )
    .map(([matrix, powers]) => matrix.map((row, k) => row.map((value) => value * 2 ** powers[k]!)));

/** Rows some of which are the same. */
export const duplicatedRows: Matrices = (rows, columns) =>
  fc
    .tuple(
      randomRows(rows, columns),
      fc.array(fc.nat({ max: rows - 1 }), { minLength: rows, maxLength: rows }),
    )
    .map(([matrix, sources]) => sources.map((source) => matrix[source]!));

/** Rows that are combinations of at most two others. */
export const rankDeficientRows: Matrices = (rows, columns) =>
  fc
    .tuple(
      randomRows(2, columns),
      fc.array(fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 })), {
        minLength: rows,
        maxLength: rows,
      }),
    )
    .map(([[a, b], factors]) =>
      factors.map(([first, second]) => a!.map((value, c) => first * value + second * b![c]!)),
    );

/** Rows of one of these kinds. */
export const anyRows: Matrices = (rows, columns) =>
  fc.oneof(
    randomRows(rows, columns),
    conflictingRows(rows, columns),
    alignedRows(rows, columns),
    badlyScaledRows(rows, columns),
    duplicatedRows(rows, columns),
    rankDeficientRows(rows, columns),
    ...(rows > 1 ? [stationaryRows(rows, columns)] : []),
  );

/** Linearly independent rows, well enough for the tolerance of comparisons; needs as many columns as rows. */
export const independentRows: Matrices = (rows, columns) =>
  fc
    .oneof(
      randomRows(rows, columns),
      conflictingRows(rows, columns),
      alignedRows(rows, columns),
      badlyScaledRows(rows, columns),
    )
    .filter(isIndependent);

/** Rows of which a combination with positive weights is zero, while no row is; needs two rows. */
export const stationaryRows: Matrices = (rows, columns) =>
  fc.oneof(oppositeRows(rows, columns), surroundingRows(rows, columns));

/** Rows on one line, in both directions. */
export const oppositeRows: Matrices = (rows, columns) => {
  const factor = fc.integer({ min: 1, max: 9 });
  return fc
    .tuple(
      fc.array(entry, { minLength: columns, maxLength: columns }),
      factor,
      factor,
      fc.array(fc.tuple(factor, fc.boolean()), { minLength: rows - 2, maxLength: rows - 2 }),
    )
    .map(([row, forth, back, others]) => {
      const factors = [forth, -back, ...others.map(([size, isBack]) => (isBack ? -size : size))];
      return factors.map((by) => row.map((value) => by * value));
    })
    .filter((matrix) => !hasZeroRow(matrix));
};

/** Rows of which the last is minus the sum of the others, each taken once or several times. */
export const surroundingRows: Matrices = (rows, columns) => {
  const count = { minLength: rows - 1, maxLength: rows - 1 };
  const factors = fc.oneof(
    fc.constant(new Array<number>(rows - 1).fill(1)),
    fc.array(fc.integer({ min: 1, max: 9 }), count),
  );
  return fc
    .tuple(randomRows(rows - 1, columns), factors)
    .map(([matrix, by]) => [
      ...matrix,
      matrix[0]!.map((_, c) => -matrix.reduce((sum, row, k) => sum + by[k]! * row[c]!, 0)),
    ])
    .filter((matrix) => !hasZeroRow(matrix));
};

/** Zeros, duplicates, opposites, and rows from 1e-15 to 1e15 among each other. */
export const extremeRows: Matrices = (rows, columns) => {
  const few = fc.constantFrom(0, 1, -1, 1, -1, 2, 1e-3, -1e3);
  const row = fc.array(few, { minLength: columns, maxLength: columns });
  const size = fc.constantFrom(0, 1, 1, 1e-15, 1e15, 1e-3, 1e3);
  const separate = fc.array(fc.tuple(row, size), { minLength: rows, maxLength: rows });
  const together = fc.tuple(
    fc.oneof(anyRows(rows, columns), fc.array(row, { minLength: rows, maxLength: rows })),
    size,
  );
  return fc.oneof(
    separate.map((pairs) => pairs.map(([values, by]) => values.map((value) => value * by))),
    together.map(([matrix, by]) => matrix.map((values) => values.map((value) => value * by))),
  );
};

/** Positive losses. */
export function losses(count: number): fc.Arbitrary<number[]> {
  const loss = fc.integer({ min: 1, max: 1000 }).map((value) => value / 100);
  return fc.array(loss, { minLength: count, maxLength: count });
}

/** How the steps of a run are generated. */
export interface StepsOptions {
  /** The gradients. */
  readonly matrices: Matrices;
  /** Smallest number of objectives. */
  readonly least: number;
  /** Greatest number of objectives. */
  readonly most: number;
  /** Greatest number of steps. @defaultValue 3 */
  readonly steps?: number;
  /** Whether there are as many columns as rows at least. */
  readonly tall?: boolean;
}

/** Runs of one step or a few with the same objectives throughout. */
export function steadySteps({
  matrices,
  least,
  most,
  steps = 3,
  tall = false,
}: StepsOptions): fc.Arbitrary<Step[]> {
  return fc
    .integer({ min: least, max: most })
    .chain((rows) =>
      fc.tuple(fc.constant(rows), fc.integer({ min: tall ? rows : 1, max: rows + 3 })),
    )
    .chain(([rows, columns]) => {
      const objectives = nameList.slice(0, rows);
      return fc.array(stepOf(objectives, matrices(rows, columns)), {
        minLength: 1,
        maxLength: steps,
      });
    });
}

/** Runs at which objectives are absent, return and change places. */
export function varyingSteps(
  { least, most, minimum }: Pick<Subject, 'least' | 'most' | 'minimum'>,
  matrices: Matrices = anyRows,
): fc.Arbitrary<Step[]> {
  return fc
    .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: 1, max: 6 }))
    .chain(([rows, columns]) => {
      const present = fc.shuffledSubarray(nameList.slice(0, rows), {
        minLength: Math.min(minimum, rows),
      });
      const step = present.chain((objectives) =>
        stepOf(objectives, matrices(objectives.length, columns)),
      );
      return fc.array(step, { minLength: 1, maxLength: 5 });
    });
}

// Two of these names break code that looks them up in a plain record.
const oddNames = ['image', 'audio', 'constructor', '__proto__', 'text and more'];
const nameList = Array.from({ length: 64 }, (_, k) => oddNames[k] ?? `objective-${k}`);

function stepOf(objectives: readonly string[], rows: fc.Arbitrary<Matrix>): fc.Arbitrary<Step> {
  const count = objectives.length;
  return fc.record(
    {
      objectives: fc.constant(objectives),
      rows,
      losses: losses(count),
      lossesAfter: losses(count),
    },
    { noNullPrototype: true },
  );
}

function leaning(rows: number, columns: number, by: number): fc.Arbitrary<Matrix> {
  return randomRows(rows, columns).map((matrix) =>
    matrix.map((row, k) => (k === 0 ? row : row.map((value, c) => value + by * matrix[0]![c]!))),
  );
}

function hasZeroRow(matrix: Matrix): boolean {
  return matrix.some((row) => row.every((value) => value === 0));
}

/** Whether the cosines' smallest eigenvalue is far from zero. */
export function isIndependent(matrix: Matrix): boolean {
  if (hasZeroRow(matrix) || matrix.length > matrix[0]!.length) return false;
  const { values, size } = cosineMatrix(gramianOf(matrix), [...matrix.keys()]);
  const { eigenvalues } = symmetricEigen(values, size);
  return eigenvalues.at(-1)! > 1e-2;
}
