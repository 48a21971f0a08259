import { assertStrategy } from './check-strategy.ts';
import { consultStrategy, type KnownGradients } from './consult-strategy.ts';
import { MultigradError } from './errors.ts';
import {
  addGramians,
  checkJacobian,
  gramianOf,
  gramianOfColumns,
  type Jacobian,
} from './gramian-of.ts';
import type { Json } from './json.ts';
import type { Needs } from './needs.ts';
import type { GradientStrategy, Integration } from './strategy.ts';

/** Columns of a Jacobian that belong to one named tensor. */
export interface TensorColumns {
  /** Unique in the list. */
  readonly name: string;
  /** Number of columns, in the order of the list. */
  readonly size: number;
}

/** What `integrateMatrix` may be told beside the Jacobian. */
export interface IntegrateMatrixOptions<State extends Json = Json> {
  /** Names of the rows. @defaultValue `['0', '1', …]` */
  readonly objectives?: readonly string[];
  /** K losses; strategies whose needs name losses `now` or `now-and-after-step` require them. */
  readonly losses?: readonly number[] | Float64Array;
  /** The state that the previous call returned. @defaultValue the strategy's initial state */
  readonly state?: State;
  /** The group's name, which random strategies mix into their seed. @defaultValue `'matrix'` */
  readonly key?: string;
  /** Number of the step, from 0. @defaultValue 0 */
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
 * Computes what the strategy's needs name and no more: no inner products for one that sees no gradients, those of each
 * tensor only for one that asks. Hand the returned `state` in at the next step.
 *
 * @param strategy - any strategy
 * @param jacobian - K rows of P numbers, left as they are
 * @throws MultigradError `invalid-argument` for sizes that do not match or losses that are missing, `non-finite` for NaN
 *   or infinity in rows, weights or the update, `incompatible-strategy` for a strategy that does not follow the
 *   contract
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
  const columns = checkJacobian(jacobian);
  const {
    objectives = Array.from(jacobian, (_, k) => String(k)),
    losses,
    key = 'matrix',
    step = 0,
    tensors = [{ name: key, size: columns }],
  } = options;
  checkNames(objectives, jacobian.length);
  const spans = columnSpans(tensors, columns);
  const names = tensors.map(({ name }) => name);
  const state =
    options.state === undefined
      ? strategy.init({ key, objectives, tensors: names })
      : options.state;
  const needs = strategy.needsNow?.(state) ?? strategy.needs;
  const integration = consultStrategy(
    strategy,
    {
      objectives,
      step,
      ...gramiansFor(needs, jacobian, spans),
      ...lossesFor(needs, strategy.name, objectives, losses),
    },
    state,
  );
  for (const name of integration.tensorWeights?.keys() ?? []) {
    if (names.includes(name)) continue;
    throw new MultigradError(
      'incompatible-strategy',
      `Strategy \`${strategy.name}\` should return weights for tensors of the group: ${names.join(', ')}. Found \`${name}\`.`,
    );
  }
  return { ...integration, update: combine(jacobian, spans, integration) };
}

/** What of the gradients the needs ask for. */
function gramiansFor(
  { gradients }: Needs,
  jacobian: Jacobian,
  spans: readonly ColumnSpan[],
): Pick<KnownGradients, 'gramian' | 'tensorGramians'> {
  switch (gradients) {
    case 'none':
      return {};
    case 'gramian':
      return { gramian: gramianOf(jacobian) };
    case 'tensor-gramians': {
      const tensorGramians = new Map(
        spans.map(({ name, start, end }) => [
          name,
          gramianOfColumns(jacobian, start, end, ` of tensor \`${name}\``),
        ]),
      );
      return { gramian: addGramians(tensorGramians.values()), tensorGramians };
    }
  }
}

/** The losses, where the needs ask for them. */
function lossesFor(
  needs: Needs,
  strategy: string,
  objectives: readonly string[],
  losses: readonly number[] | Float64Array | undefined,
): Pick<KnownGradients, 'losses'> {
  if (losses === undefined) {
    if (needs.losses === undefined || needs.losses === 'epoch-means') return {};
    throw new MultigradError(
      'invalid-argument',
      `Option \`losses\` should hold the losses of ${objectives.join(', ')}, which strategy \`${strategy}\` needs. Found undefined.`,
    );
  }
  return { losses: Float64Array.from(losses) };
}

/** `Σ_k weights[k] · row_k`, tensor by tensor. */
function combine(
  jacobian: Jacobian,
  spans: readonly ColumnSpan[],
  integration: Integration,
): Float64Array {
  const update = new Float64Array(spans.at(-1)?.end ?? 0);
  for (const { name, start, end } of spans) {
    const weights = integration.tensorWeights?.get(name) ?? integration.weights;
    jacobian.forEach((row, k) => {
      const weight = weights[k]!;
      if (weight === 0) return;
      for (let c = start; c < end; c += 1) update[c]! += weight * row[c]!;
    });
  }
  const overflow = update.findIndex((value) => !Number.isFinite(value));
  if (overflow >= 0) {
    throw new MultigradError(
      'non-finite',
      `The update should be representable in float64. Found ${update[overflow]} in column ${overflow}; scale the rows.`,
    );
  }
  return update;
}

function checkNames(objectives: readonly string[], rows: number): void {
  if (objectives.length === rows) return;
  throw new MultigradError(
    'invalid-argument',
    `Option \`objectives\` should name each of the ${rows} rows of the Jacobian. Found ${objectives.length} names.`,
  );
}

interface ColumnSpan {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

function columnSpans(tensors: readonly TensorColumns[], columns: number): ColumnSpan[] {
  let end = 0;
  const seen = new Set<string>();
  const spans = tensors.map(({ name, size }) => {
    if (!Number.isInteger(size) || size < 0) {
      throw new MultigradError(
        'invalid-argument',
        `The size of tensor \`${name}\` should be an integer >= 0. Found ${size}.`,
      );
    }
    if (seen.has(name)) {
      throw new MultigradError(
        'invalid-argument',
        `Every tensor should have its own name. Found \`${name}\` twice.`,
      );
    }
    seen.add(name);
    const start = end;
    end += size;
    return { name, start, end };
  });
  if (end === columns && spans.length > 0) return spans;
  throw new MultigradError(
    'invalid-argument',
    `The sizes of \`tensors\` should add up to the ${columns} columns of the Jacobian. Found ${end}.`,
  );
}
