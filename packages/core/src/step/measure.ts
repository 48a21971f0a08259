import type { Tensor } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import { checkLosses } from '../contract/check-losses.ts';
import type { Gramian } from '../algebra/gramian.ts';
import type { Collective } from '../ranks/collective.ts';
import { partOfGramian } from '../algebra/gramian-forms.ts';
import { addGramians } from '../algebra/gramian-of.ts';
import { meanNumbers, scalarsOf, sortNumbers, type StepNumbers } from '../network/numbers.ts';
import { gradientOf, isExact, startGramianOfProducts } from '../rows/dense-products.ts';
import { firstNonFinite, nonFiniteGradient, startChecks } from '../rows/finite-checks.ts';
import {
  errorOfProducts,
  finishGramian,
  type PendingGramian,
  startGramian,
} from '../rows/gramian-of-rows.ts';
import { readTogether } from '../tape/read-back.ts';
import type { TensorBag } from '../tape/ownership.ts';
import { blame } from './blame.ts';
import type { StepContext } from './step-context.ts';
import type { GroupVectors, Rows, TensorVectors } from './backward.ts';

/** The numbers of a step, read back from the device. */
export interface Facts {
  /** Losses and metrics of each batch, over the samples of all ranks. */
  readonly numbers: readonly [StepNumbers, ...StepNumbers[]];
  /** The vectors that were measured, by group. Products that cancel too far are gradients by now. */
  readonly vectors: readonly GroupVectors[];
  /** The Gramians of the groups whose vectors were measured, in their order. */
  readonly gramians: readonly GroupGramians[];
}

/**
 * Reads Gramians, losses and metrics, and checks that gradients are finite: one read-back for all.
 *
 * @throws MultigradError `non-finite` naming the objective, the variable and the step
 */
export async function measure(context: StepContext, { whole, groups }: Rows): Promise<Facts> {
  const { objectives, variables, state, bag, collective } = context;
  // One scalar loss is made of the first batch alone.
  const passes = whole === null ? context.passes : ([context.passes[0]] as const);
  const checks = startChecks(variables, whole ?? [], bag);
  const pending = groups.map((vectors) => startGroup(vectors, bag));
  const scalars = passes.map(({ tape, numbers }) =>
    numbers === null ? scalarsOf(tape.value.objectives) : [],
  );
  const packed = pending.flatMap(({ tensors }) => tensors.map((tensor) => tensor.pending.packed));
  const values = await readTogether([...scalars.flat(), ...checks.packed, ...packed]);

  const numbers = passes.map(
    (pass, batch) =>
      pass.numbers ??
      sortNumbers(pass.tape.value.objectives, values.splice(0, scalars[batch]!.length)),
  );
  for (const { losses } of numbers) checkLosses(objectives, losses, state.step);
  const checked = values.splice(0, checks.packed.length);
  if (whole !== null) {
    const broken = await firstNonFinite(variables, checks, checked, (flags) =>
      collective.sum(flags),
    );
    if (broken !== null) throw await blame(context, broken);
  }
  const measured = await computeInexact(pending, values, bag);
  const gramians = groups.length === 0 ? [] : await finishGroups(context, measured);
  return {
    numbers: numbers as unknown as Facts['numbers'],
    vectors: measured.map(({ vectors }) => vectors),
    gramians,
  };
}

/** Reads losses and metrics of the first batch before any backward pass. @throws MultigradError `non-finite` */
export async function readNumbers({
  passes: [{ tape, numbers }],
  objectives,
  state,
}: StepContext): Promise<StepNumbers> {
  const known =
    numbers ??
    sortNumbers(tape.value.objectives, await readTogether(scalarsOf(tape.value.objectives)));
  checkLosses(objectives, known.losses, state.step);
  return known;
}

/** The mean losses and metrics over the batches. */
export function meanOf({ numbers }: Facts): StepNumbers {
  return meanNumbers(numbers);
}

/** The Gramians of a group's tensors before they are read. */
interface PendingGroup {
  readonly vectors: GroupVectors;
  readonly tensors: readonly PendingTensor[];
}

interface PendingTensor {
  readonly name: string;
  /** The indices of the group's vectors that reach this tensor. */
  readonly reaching: readonly number[];
  readonly pending: PendingGramian;
}

/** The Gramians of a group's tensors with the values read. */
interface ReadGroup extends PendingGroup {
  readonly tensors: readonly (PendingTensor & { readonly values: Float32Array })[];
}

/** Starts the Gramian of each tensor of a group. */
function startGroup(vectors: GroupVectors, bag: TensorBag): PendingGroup {
  return {
    vectors,
    tensors: vectors.tensors.flatMap(({ tensor: name, rows, factor }) => {
      // Of a small tensor this rank may have an empty slice.
      const reaching = [...rows.keys()].filter((k) => (rows[k]?.size ?? 0) > 0);
      if (reaching.length === 0) return [];
      const present = reaching.map((k) => rows[k]!);
      const pending =
        factor === undefined ? startGramian(present) : startGramianOfProducts(factor, present);
      bag.keep(pending.packed);
      return [{ name, reaching, pending }];
    }),
  };
}

/**
 * Computes the gradients of dense layers whose Gramians are less exact as products of factors than of rows, and measures
 * them once more: a second read-back, at steps where there are such.
 */
async function computeInexact(
  groups: readonly PendingGroup[],
  values: readonly Float32Array[],
  bag: TensorBag,
): Promise<readonly ReadGroup[]> {
  const left = [...values];
  const read = groups.map((group) => ({
    ...group,
    tensors: group.tensors.map((tensor) => ({ ...tensor, values: left.shift()! })),
  }));
  const again = read.map(({ vectors, tensors }) => {
    const inexact = new Set(
      tensors.flatMap(({ name, pending, values: own }) => (isExact(pending, own) ? [] : [name])),
    );
    if (inexact.size === 0) return null;
    const computed = vectors.tensors.map((own): TensorVectors => {
      const { factor, ...others } = own;
      if (factor === undefined || !inexact.has(own.tensor)) return own;
      const gradient = (row: Tensor | null): Tensor | null =>
        row === null ? null : bag.keep(gradientOf(factor, row));
      return { ...others, rows: own.rows.map(gradient) };
    });
    const all = { ...vectors, tensors: computed };
    const renewed = computed.filter(({ tensor }) => inexact.has(tensor));
    return { vectors: all, tensors: startGroup({ ...vectors, tensors: renewed }, bag).tensors };
  });
  const packed = again.flatMap((one) => one?.tensors.map(({ pending }) => pending.packed) ?? []);
  const anew = await readTogether(packed);
  return read.map((group, index) => {
    const renewed = again[index];
    if (renewed == null) return group;
    const byName = new Map(
      renewed.tensors.map((tensor) => [tensor.name, { ...tensor, values: anew.shift()! }]),
    );
    return {
      vectors: renewed.vectors,
      tensors: group.tensors.map((tensor) => byName.get(tensor.name) ?? tensor),
    };
  });
}

/** A group's Gramians after they were read. */
export interface GroupGramians {
  /** The Gramian of the first batch's gradients. */
  readonly gramian: Gramian;
  /** The Gramian of the first batch's gradients for each tensor, by name. */
  readonly tensorGramians: ReadonlyMap<string, Gramian>;
  /** The Gramian of all vectors. */
  readonly stacked: Gramian;
}

/** Adds up each group's Gramians in float64, over its tensors and over the ranks' slices. */
async function finishGroups(
  { state, collective }: StepContext,
  groups: readonly ReadGroup[],
): Promise<readonly GroupGramians[]> {
  const own = groups.map(tensorParts);
  const parts = await sumParts(collective, groups, own);
  return groups.map((group, index) => addParts(group, parts[index]!, state.step));
}

/** The inner products of a group's vectors at one tensor, with a row and a column for each vector. */
interface Part {
  readonly values: Float64Array;
  /** Numbers in each vector's row: those of this rank, or of all ranks together. */
  readonly length: number;
}

function tensorParts({ vectors, tensors }: ReadGroup): ReadonlyMap<string, Part> {
  return new Map(
    tensors.map(({ name, reaching, pending, values }) => {
      const { gramian, nonFinite } = finishGramian(
        pending,
        values,
        reaching.map((k) => vectors.scales[k]!),
      );
      const part = spread(gramian.values, reaching, vectors.count);
      for (const culprit of nonFinite) part[reaching[culprit]! * (vectors.count + 1)] = NaN;
      return [name, { values: part, length: pending.length }];
    }),
  );
}

/**
 * Adds up the inner products of the ranks' slices, for every tensor that an objective reaches on any rank. A Gramian's error
 * follows from the length of the whole rows, so that all ranks decide by the same number.
 */
async function sumParts(
  collective: Collective,
  groups: readonly PendingGroup[],
  own: readonly ReadonlyMap<string, Part>[],
): Promise<readonly ReadonlyMap<string, Gramian>[]> {
  const places = groups.flatMap(({ vectors: { tensors, count, present } }, group) =>
    tensors
      .filter(({ rows }) => present.group.feature !== null || rows.some((row) => row !== null))
      .map(({ tensor }) => ({ group, tensor, count })),
  );
  const total = new Float64Array(places.reduce((sum, { count }) => sum + count * count + 1, 0));
  let offset = 0;
  for (const { group, tensor, count } of places) {
    const part = own[group]!.get(tensor);
    if (part !== undefined) total.set([...part.values, part.length], offset);
    offset += count * count + 1;
  }
  const sums = await collective.sum(total);
  const parts = groups.map(() => new Map<string, Gramian>());
  offset = 0;
  for (const { group, tensor, count } of places) {
    const values = sums.slice(offset, (offset += count * count));
    const length = sums[offset]!;
    offset += 1;
    parts[group]!.set(tensor, { size: count, values, relativeError: errorOfProducts(length) });
  }
  return parts;
}

function addParts(
  { vectors: { present, count } }: PendingGroup,
  parts: ReadonlyMap<string, Gramian>,
  step: number,
): GroupGramians {
  const size = present.names.length;
  for (const [name, { values }] of parts) {
    for (let k = 0; k < count; k += 1) {
      if (Number.isFinite(values[k * (count + 1)])) continue;
      throw nonFiniteGradient(present.names[k % size]!, present.group.key, name, step);
    }
  }
  if (parts.size === 0) {
    throw new MultigradError(
      'unreached-variable',
      `Group \`${present.group.key}\` should have a tensor that ${present.names.join(', ')} reaches. Found none at step ${step}.`,
    );
  }
  const stacked = addGramians(parts.values());
  if (count === size) return { gramian: stacked, tensorGramians: parts, stacked };
  const first = [...present.names.keys()];
  return {
    gramian: partOfGramian(stacked, first),
    tensorGramians: new Map(
      Array.from(parts, ([name, part]) => [name, partOfGramian(part, first)]),
    ),
    stacked,
  };
}

/** Extends inner products of some vectors to those of all of them; the other entries are zero. */
function spread(products: Float64Array, indices: readonly number[], size: number): Float64Array {
  if (indices.length === size) return products;
  const values = new Float64Array(size * size);
  indices.forEach((row, i) => {
    indices.forEach((column, j) => {
      values[row * size + column] = products[i * indices.length + j]!;
    });
  });
  return values;
}
