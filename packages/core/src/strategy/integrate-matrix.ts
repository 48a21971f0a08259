import { assertStrategy } from './check-strategy.ts';
import { consultStrategy } from './consult-strategy.ts';
import { MultigradError } from './errors.ts';
import type { Gramian } from './gramian.ts';
import { gramianOf, type Jacobian } from './gramian-of.ts';
import type { Json } from './json.ts';
import type { GradientStrategy, Integration } from './strategy.ts';

/** Columns of a Jacobian that belong to one named tensor. */
export interface TensorColumns {
  readonly name: string;
  /** Number of columns, in the order of the list. */
  readonly size: number;
}

/** What `integrateMatrix` may be told beside the Jacobian. */
export interface IntegrateMatrixOptions<State extends Json = Json> {
  /** Names of the rows. @defaultValue `['0', '1', …]` */
  readonly objectives?: readonly string[];
  /** K losses, for strategies that need them. */
  readonly losses?: readonly number[] | Float64Array;
  /** The state that the previous call returned. @defaultValue the strategy's initial state */
  readonly state?: State;
  /** The group's name, which random strategies mix into their seed. @defaultValue `'matrix'` */
  readonly key?: string;
  /** @defaultValue 0 */
  readonly step?: number;
  /** How the columns fall into tensors, for strategies that look at each. @defaultValue one tensor of all columns */
  readonly tensors?: readonly TensorColumns[];
}

/** A strategy's answer with the update it means. */
export interface IntegratedMatrix<State extends Json = Json> extends Integration<State> {
  /** `Σ_k weights[k] · row_k`, P numbers. */
  readonly update: Float64Array;
}

/**
 * Integrates the rows of a Jacobian given as numbers: no tensor library, any JavaScript runtime.
 *
 * @param strategy - any strategy that sees no more than Gramians
 * @param jacobian - K rows of P numbers
 * @throws MultigradError `invalid-argument` for sizes that do not match, `non-finite` for NaN or infinity in rows or
 *   weights, `incompatible-strategy` for a strategy that does not follow the contract
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { mgda } from '@multigrad/strategy-mgda';
 *
 * const { weights, update } = integrateMatrix(mgda(), [
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ]);
 * console.log(weights, update); // 0.6, 0.4 and 0, 1, 1
 * ```
 */
export function integrateMatrix<State extends Json>(
  strategy: GradientStrategy<State>,
  jacobian: Jacobian,
  options: IntegrateMatrixOptions<State> = {},
): IntegratedMatrix<State> {
  assertStrategy(strategy);
  const gramian = gramianOf(jacobian);
  const columns = jacobian[0]!.length;
  const {
    objectives = Array.from({ length: gramian.size }, (_, k) => String(k)),
    losses,
    key = 'matrix',
    step = 0,
    tensors = [{ name: key, size: columns }],
  } = options;
  const spans = columnSpans(tensors, columns);
  const names = tensors.map(({ name }) => name);
  const state = options.state ?? strategy.init({ key, objectives, tensors: names });
  const integration = consultStrategy(
    strategy,
    {
      objectives,
      gramian,
      tensorGramians: tensorGramians(jacobian, spans),
      step,
      ...(losses === undefined ? {} : { losses: Float64Array.from(losses) }),
    },
    state,
  );
  const update = new Float64Array(columns);
  for (const { name, start, end } of spans) {
    const weights = integration.tensorWeights?.get(name) ?? integration.weights;
    jacobian.forEach((row, k) => {
      const weight = weights[k]!;
      if (weight === 0) return;
      for (let c = start; c < end; c += 1) update[c]! += weight * row[c]!;
    });
  }
  return { ...integration, update };
}

interface ColumnSpan {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

function columnSpans(tensors: readonly TensorColumns[], columns: number): ColumnSpan[] {
  let end = 0;
  const spans = tensors.map(({ name, size }) => {
    const start = end;
    end += size;
    return { name, start, end };
  });
  if (end === columns) return spans;
  throw new MultigradError(
    'invalid-argument',
    `The sizes of \`tensors\` should add up to the ${columns} columns of the Jacobian. Found ${end}.`,
  );
}

function tensorGramians(
  jacobian: Jacobian,
  spans: readonly ColumnSpan[],
): ReadonlyMap<string, Gramian> {
  return new Map(
    spans.map(({ name, start, end }) => [
      name,
      gramianOf(jacobian.map((row) => row.slice(start, end))),
    ]),
  );
}
