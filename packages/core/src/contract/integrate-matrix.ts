import { assertStrategy } from './check-strategy.ts';
import { arrayRows } from './array-rows.ts';
import { checkLosses } from './check-losses.ts';
import { consultStrategy, isStacked } from './consult-strategy.ts';
import type { GroupGradientsParts } from './group-gradients.ts';
import { describeValue } from '../base/describe-value.ts';
import { MultigradError } from '../base/errors.ts';
import {
  addGramians,
  checkJacobian,
  gramianOf,
  gramianOfColumns,
  type Jacobian,
} from '../algebra/gramian-of.ts';
import type { Json } from '../base/json.ts';
import type { Needs } from './needs.ts';
import { needsAt, readState, runStrategy } from './read-answer.ts';
import type { GradientStrategy, Integration } from './strategy.ts';

/** Columns of a Jacobian that belong to one named tensor. */
export interface TensorColumns {
  /** Unique in the list. */
  readonly name: string;
  /** Number of columns, in the order of the list. */
  readonly size: number;
}

/** Options of `integrateMatrix`. */
export interface IntegrateMatrixOptions<State extends Json = Json> {
  /** Names of the rows. @defaultValue `['0', '1', …]` */
  readonly objectives?: readonly string[];
  /** K losses; strategies whose needs name losses `now` or `now-and-…` require them. */
  readonly losses?: readonly number[] | Float64Array;
  /** The state that the previous call returned. @defaultValue the strategy's initial state */
  readonly state?: State;
  /** The group's name, which random strategies mix into their seed. @defaultValue `'matrix'` */
  readonly key?: string;
  /** Number of the step, from 0. @defaultValue 0 */
  readonly step?: number;
  /** How the columns fall into tensors, for strategies that look at each. @defaultValue one tensor of all columns */
  readonly tensors?: readonly TensorColumns[];
  /** The same gradients on further independent batches, for strategies whose needs name `batches`: batches − 1 Jacobians. */
  readonly batches?: readonly Jacobian[];
  /** The memory that the previous call returned, for strategies whose needs name `memory`. @defaultValue zeros */
  readonly memory?: MemoryRows;
}

/** A memory: one vector of P numbers for each objective, by its name. */
export type MemoryRows = ReadonlyMap<string, Float64Array>;

/** A strategy's answer and the update that follows from it. */
export interface IntegratedMatrix<State extends Json = Json> extends Integration<State> {
  /** The update that the weights (or `combine`) give for these rows, P numbers. */
  readonly update: Float64Array;
  /** The memory after this step; hand it in at the next step. */
  readonly memory?: MemoryRows;
}

/**
 * Integrates the rows of a Jacobian given as numbers: no tensor library, any JavaScript runtime.
 *
 * Computes only what the strategy's needs name: no inner products for a strategy that sees no gradients, and those of
 * each tensor only for one that asks for them. Hand the returned `state` in at the next step, and the returned `memory`
 * where the strategy's needs name it.
 *
 * @param strategy - any strategy
 * @param jacobian - K rows of P numbers, left as they are
 * @throws MultigradError `invalid-argument` for sizes that do not match or losses that are missing, `non-finite` for NaN
 *   or infinity in rows, losses, weights or the update, `incompatible-strategy` for a strategy that does not follow the
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
    batches = [],
  } = options;
  checkNames(objectives, jacobian.length);
  const spans = columnSpans(tensors, columns);
  const names = tensors.map(({ name }) => name);
  const state =
    options.state === undefined
      ? readState(strategy.name, 'init', () => strategy.init({ key, objectives, tensors: names }))
      : options.state;
  const needs = needsAt(strategy, state);
  checkBatches(batches, needs, strategy.name, jacobian.length, columns);
  const memory = needs.memory === undefined ? [] : memoryRows(options.memory, objectives, columns);
  const squares =
    needs.memory === 'squares' ? memory.map((old, k) => addedSquares(old, jacobian[k]!)) : null;
  const seen = squares?.map((roots, k) => dividedByRoots(jacobian[k]!, roots)) ?? memory;
  const integration = consultStrategy(
    strategy,
    {
      objectives,
      step,
      ...gramiansFor(needs, jacobian, spans),
      ...(isStacked(needs) ? { stacked: gramianOf([jacobian, ...batches, seen].flat()) } : {}),
      ...lossesFor(needs, strategy.name, objectives, losses, step),
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
  const update = updateOf(strategy.name, integration, jacobian, spans, batches, memory);
  if (squares !== null) {
    const entries = objectives.map((name, k) => [name, squares[k]!] as const);
    return { ...integration, update, memory: new Map([...(options.memory ?? []), ...entries]) };
  }
  if (integration.memoryUpdate === undefined) return { ...integration, update };
  const { keep, add } = integration.memoryUpdate;
  const nextMemory = new Map(options.memory);
  objectives.forEach((name, k) => {
    const [old, row] = [memory[k]!, jacobian[k]!];
    nextMemory.set(
      name,
      old.map((value, c) => keep[k]! * value + add[k]! * row[c]!),
    );
  });
  return { ...integration, update, memory: nextMemory };
}

/** The update of all columns. */
function updateOf(
  strategy: string,
  integration: Integration,
  jacobian: Jacobian,
  spans: readonly ColumnSpan[],
  batches: readonly Jacobian[],
  memory: readonly Float64Array[],
): Float64Array {
  const update = new Float64Array(spans.at(-1)?.end ?? 0);
  for (const span of spans) {
    if (integration.combine !== undefined) {
      const rows = jacobian.map((row) => Float64Array.from(row.slice(span.start, span.end)));
      const algebra = arrayRows(span.name, span.end - span.start);
      const { combine } = integration;
      const combined: unknown = runStrategy(strategy, 'combine', () => combine(rows, algebra));
      const size = span.end - span.start;
      const fits = Array.isArray(combined) || combined instanceof Float64Array;
      if (!fits || combined.length !== size) {
        throw new MultigradError(
          'incompatible-strategy',
          `Strategy \`${strategy}\` should return a Float64Array of ${size} numbers from \`combine\`. ` +
            `Found ${describeValue(combined)}${fits ? ` of length ${combined.length}` : ''}.`,
        );
      }
      update.set(combined as Float64Array, span.start);
      continue;
    }
    const weights = integration.tensorWeights?.get(span.name) ?? integration.weights;
    addRows(update, jacobian, weights, span);
    batches.forEach((rows, at) => addRows(update, rows, integration.batchWeights![at]!, span));
    if (integration.memoryUpdate !== undefined) {
      addRows(update, memory, integration.memoryUpdate.weights, span);
    }
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

function checkBatches(
  further: readonly Jacobian[],
  { batches = 1 }: Needs,
  strategy: string,
  rows: number,
  columns: number,
): void {
  if (further.length !== batches - 1) {
    throw new MultigradError(
      'invalid-argument',
      `Option \`batches\` should hold the gradients of ${batches - 1} further batches, which strategy \`${strategy}\` ` +
        `needs. Found ${further.length}.`,
    );
  }
  for (const jacobian of further) {
    if (checkJacobian(jacobian) === columns && jacobian.length === rows) continue;
    throw new MultigradError(
      'invalid-argument',
      `Each batch should have a Jacobian of ${rows} rows and ${columns} columns. ` +
        `Found ${jacobian.length} and ${jacobian[0]!.length}.`,
    );
  }
}

/** The memory vectors of the objectives present, zeros where there are none yet. */
function memoryRows(
  memory: MemoryRows | undefined,
  objectives: readonly string[],
  columns: number,
): Float64Array[] {
  return objectives.map((name) => {
    const row = memory?.get(name) ?? new Float64Array(columns);
    if (row.length === columns) return row;
    throw new MultigradError(
      'invalid-argument',
      `The memory of \`${name}\` should have ${columns} numbers, as the gradients do. Found ${row.length}.`,
    );
  });
}

/** `√(m² + g²)`, coordinate by coordinate. */
function addedSquares(memory: Float64Array, row: ArrayLike<number>): Float64Array {
  return memory.map((old, c) => Math.hypot(old, row[c]!));
}

/** `g / √m`, coordinate by coordinate; 0 where m is 0. */
function dividedByRoots(row: ArrayLike<number>, memory: Float64Array): Float64Array {
  return memory.map((value, c) => (value === 0 ? 0 : row[c]! / Math.sqrt(value)));
}

/** The Gramians that the needs ask for. */
function gramiansFor(
  { gradients }: Needs,
  jacobian: Jacobian,
  spans: readonly ColumnSpan[],
): Pick<GroupGradientsParts, 'gramian' | 'tensorGramians'> {
  switch (gradients) {
    case 'none':
    case 'rows':
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
  step: number,
): Pick<GroupGradientsParts, 'losses'> {
  if (losses === undefined) {
    if (needs.losses?.startsWith('now') !== true) return {};
    throw new MultigradError(
      'invalid-argument',
      `Option \`losses\` should hold the losses of ${objectives.join(', ')}, which strategy \`${strategy}\` needs. Found undefined.`,
    );
  }
  if (losses.length !== objectives.length) {
    throw new MultigradError(
      'invalid-argument',
      `Option \`losses\` should hold a number for each of the ${objectives.length} objectives. Found ${losses.length}.`,
    );
  }
  // Checked as in training, also where the strategy does not see losses.
  checkLosses(objectives, losses, step);
  return { losses: Float64Array.from(losses) };
}

/** Adds `Σ_k weights[k] · row_k` to the columns of one tensor. */
function addRows(
  update: Float64Array,
  rows: Jacobian,
  weights: Float64Array,
  { start, end }: ColumnSpan,
): void {
  rows.forEach((row, k) => {
    const weight = weights[k]!;
    if (weight === 0) return;
    for (let c = start; c < end; c += 1) update[c]! += weight * row[c]!;
  });
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
