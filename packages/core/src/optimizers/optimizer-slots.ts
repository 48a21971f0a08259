import { own } from '../base/own.ts';
import { Optimizer, tidy, type Tensor, type Variable, variable } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import type { PartSnapshot } from './part-snapshot.ts';
import { shapeText } from './tensor-differences.ts';

/**
 * The fields in which each kind of TensorFlow.js optimizer keeps its state: lists with a slot for each variable, by the
 * variable's position among the gradients, and scalars.
 *
 * TensorFlow.js's `getWeights` is not enough: for Adam it recomputes the powers of beta, which changes their last bits, for
 * Adamax it returns nothing, and it knows slots by position alone.
 */
const layouts: Readonly<Record<string, Layout>> = {
  SGD: { lists: [], scalars: [] },
  Momentum: { lists: ['accumulations'], scalars: [] },
  Adagrad: { lists: ['accumulatedGrads'], scalars: [] },
  Adadelta: { lists: ['accumulatedGrads', 'accumulatedUpdates'], scalars: [] },
  Adam: {
    lists: ['accumulatedFirstMoment', 'accumulatedSecondMoment'],
    scalars: ['accBeta1', 'accBeta2'],
  },
  Adamax: {
    lists: ['accumulatedFirstMoment', 'accumulatedWeightedInfNorm'],
    scalars: ['accBeta1', 'iteration'],
  },
  RMSProp: {
    lists: ['accumulatedMeanSquares', 'accumulatedMoments', 'accumulatedMeanGrads'],
    scalars: [],
  },
};

interface Layout {
  readonly lists: readonly ListName[];
  readonly scalars: readonly ScalarName[];
}

type ListName =
  | 'accumulations'
  | 'accumulatedGrads'
  | 'accumulatedUpdates'
  | 'accumulatedFirstMoment'
  | 'accumulatedSecondMoment'
  | 'accumulatedWeightedInfNorm'
  | 'accumulatedMeanSquares'
  | 'accumulatedMoments'
  | 'accumulatedMeanGrads';

type ScalarName = 'accBeta1' | 'accBeta2' | 'iteration';

interface Slot {
  readonly originalName: string;
  readonly variable: Variable;
}

type Internals = Record<ListName, (Slot | undefined)[]> &
  Record<ScalarName, Variable> & {
    iterations_?: number;
  };

function layoutOf(optimizer: Optimizer): Layout {
  const kind = optimizer.getClassName();
  const layout = own(layouts, kind);
  if (layout !== undefined) return layout;
  throw new MultigradError(
    'unsupported',
    `Optimizer \`${kind}\` cannot be kept in a checkpoint: expected one of ${Object.keys(layouts).join(', ')}, ` +
      'or an object with `kind`, `applyGradients`, `snapshot` and `restore`.',
  );
}

/** Whether an optimizer is of a kind of TensorFlow.js whose slots are known. */
export function isKnown(optimizer: unknown): optimizer is Optimizer {
  return optimizer instanceof Optimizer && Object.hasOwn(layouts, optimizer.getClassName());
}

function internalsOf(optimizer: Optimizer): Internals {
  return optimizer as unknown as Internals;
}

/** Reads the slots of an optimizer. @throws MultigradError `unsupported` where they are not known */
export function slotsOf(optimizer: Optimizer, names: readonly string[]): PartSnapshot {
  const { lists, scalars } = layoutOf(optimizer);
  const internals = internalsOf(optimizer);
  const tensors = new Map<string, Tensor>();
  for (const scalar of scalars) tensors.set(scalar, internals[scalar]);
  for (const list of lists) {
    const slots = internals[list];
    names.forEach((name, position) => {
      const slot = slots[position];
      if (slot !== undefined) tensors.set(`${list}/${name}`, slot.variable);
    });
  }
  return { values: { iterations: internals.iterations_ ?? 0 }, tensors };
}

/** The reasons why a snapshot cannot be restored into an optimizer, a sentence each. */
export function slotDifferences(
  optimizer: Optimizer,
  variables: ReadonlyMap<string, Variable>,
  { values, tensors }: PartSnapshot,
): string[] {
  const { lists, scalars } = layoutOf(optimizer);
  const differences = iterationsOf(values) === null ? ['no number of iterations'] : [];
  const expect = (name: string, shape: readonly number[]): void => {
    const found = tensors.get(name)!;
    if (shapeText(found.shape) === shapeText(shape) && found.dtype === 'float32') return;
    differences.push(
      `slot \`${name}\` is ${found.dtype} ${shapeText(found.shape)}, expected float32 ${shapeText(shape)}`,
    );
  };
  const known = new Set<string>(scalars);
  for (const scalar of scalars) {
    if (tensors.has(scalar)) expect(scalar, []);
    else differences.push(`slot \`${scalar}\` is missing`);
  }
  for (const list of lists) {
    const slots = Array.from(variables, ([name, { shape }]) => ({
      name: `${list}/${name}`,
      shape,
    }));
    for (const { name } of slots) known.add(name);
    const present = slots.filter(({ name }) => tensors.has(name));
    for (const { name, shape } of present) expect(name, shape);
    // An optimizer makes all slots of a list at its first step; before that it has none.
    if (present.length === 0) continue;
    for (const { name } of slots) {
      if (!tensors.has(name)) differences.push(`slot \`${name}\` is missing`);
    }
  }
  for (const name of tensors.keys()) {
    if (!known.has(name)) differences.push(`slot \`${name}\` is not known here`);
  }
  return differences;
}

/** Copies tensors into an optimizer's slots; they stay the caller's. */
export function restoreSlots(
  optimizer: Optimizer,
  names: readonly string[],
  { values, tensors }: PartSnapshot,
): void {
  const { lists, scalars } = layoutOf(optimizer);
  const internals = internalsOf(optimizer);
  for (const scalar of scalars) internals[scalar].assign(tensors.get(scalar)!);
  for (const list of lists) {
    for (const slot of internals[list]) slot?.variable.dispose();
    internals[list] = names.flatMap((name) => {
      const value = tensors.get(`${list}/${name}`);
      if (value === undefined) return [];
      return [{ originalName: `${name}/${list}`, variable: tidy(() => variable(value, false)) }];
    });
  }
  internals.iterations_ = iterationsOf(values)!;
}

function iterationsOf(values: Json): number | null {
  if (typeof values !== 'object' || values === null || !('iterations' in values)) return null;
  const { iterations } = values;
  return typeof iterations === 'number' && Number.isSafeInteger(iterations) ? iterations : null;
}
