import { onesLike, type Tensor } from '@tensorflow/tfjs-core';
import { own } from '../base/own.ts';
import { MultigradError } from '../base/errors.ts';
import { collectDeferred, type DeferredGradient } from './deferred-sums.ts';
import { missingGradient } from './missing-gradient.ts';
import { scoped } from './ownership.ts';
import { PassGradients } from './pass-gradients.ts';
import { type TapeNode, youngestTensorId } from './tape-internals.ts';
import { watchGradient } from './watch-kernels.ts';

/** Where a backward pass starts: a tensor of the forward pass and the gradient handed to it (ones if left out). */
export interface BackwardSeed {
  readonly tensor: Tensor;
  readonly gradient?: Tensor;
}

/** The part of a tape that depends on given source tensors. A backward pass to them visits only this part. */
export interface TapePaths {
  readonly sources: readonly Tensor[];
  /** Ids of the sources and of every float32 tensor computed from them. */
  readonly reached: ReadonlySet<number>;
}

/** What happens on the way. */
export type WalkEvent =
  /** The gradients of one source are complete, one for each pass, null where it is not reached. The receiver owns them. */
  | {
      readonly kind: 'source';
      readonly index: number;
      readonly gradients: readonly (Tensor | null)[];
    }
  /** Numbers to add up over the ranks; the sums are the answer. */
  | { readonly kind: 'sums'; readonly values: Float64Array };

/** A gradient of an operation's input that waits for sums over the ranks. */
interface Waiting extends DeferredGradient {
  readonly pass: PassGradients;
  readonly name: string;
  readonly input: Tensor;
  readonly node: TapeNode;
}

/**
 * Makes several backward passes side by side, operation by operation: `Σ_seeds gradientᵀ · ∂tensor / ∂source` for each source
 * and each pass.
 *
 * With `joint` an operation may put off a gradient that needs sums over the ranks. The walk goes on with what does not depend
 * on it, then asks for all sums that are waited for at once.
 *
 * @param seeds - of each pass
 * @throws MultigradError `missing-gradients` when an operation on the way has no gradient
 */
export function* walkBack(
  nodes: readonly TapeNode[],
  seeds: readonly (readonly BackwardSeed[])[],
  paths: TapePaths,
  joint: boolean,
): Generator<WalkEvent, void, Float64Array | undefined> {
  const youngest = youngestTensorId();
  const passes = seeds.map(() => new PassGradients(paths.sources, youngest));
  try {
    seeds.forEach((own, index) => {
      for (const { tensor, gradient } of own) {
        if (!paths.reached.has(tensor.id)) continue;
        passes[index]!.add(tensor, gradient ?? onesLike(tensor));
      }
    });
    const finished = new FinishedSources(nodes, paths.sources);
    const event = (index: number, of: 'take' | 'copy'): WalkEvent => ({
      kind: 'source',
      index,
      gradients: passes.map((pass) => pass[of](paths.sources[index]!)),
    });
    let left = nodes.toReversed();
    while (left.length > 0) {
      /** Ids of tensors whose gradients wait for sums. */
      const blocked = new Set<number>();
      const later: TapeNode[] = [];
      const waiting: Waiting[] = [];
      for (const node of left) {
        const waits = node.outputs.some(({ id }) => blocked.has(id));
        const found = waits ? null : differentiate(node, paths, passes, joint);
        if (found !== null && found.length === 0) {
          for (const index of finished.passBy(node)) yield event(index, 'take');
          continue;
        }
        for (const input of Object.values(node.inputs)) blocked.add(input.id);
        if (found === null) later.push(node);
        else waiting.push(...found);
      }
      if (waiting.length > 0) {
        const sums = yield { kind: 'sums', values: joined(waiting.map(({ values }) => values)) };
        for (const node of finish(waiting, sums!)) {
          for (const index of finished.passBy(node)) yield event(index, 'take');
        }
      }
      left = later;
    }
    for (const index of finished.rest()) yield event(index, 'copy');
  } finally {
    for (const pass of passes) pass.dispose();
  }
}

/** Finds the sources that no operation is left for. */
class FinishedSources {
  /** Operations left that use a source, by its id. */
  readonly #uses = new Map<number, number>();
  readonly #places: ReadonlyMap<number, number>;
  readonly #rest: Set<number>;

  constructor(nodes: readonly TapeNode[], sources: readonly Tensor[]) {
    // The gradient of a source that is computed from others is needed until the end.
    const computed = new Set(nodes.flatMap(({ outputs }) => outputs.map(({ id }) => id)));
    const first = new Map(
      [...sources.keys()].toReversed().map((index) => [sources[index]!.id, index]),
    );
    const twice = sources.filter(({ id }, index) => first.get(id) !== index);
    for (const { id } of twice) computed.add(id);
    this.#places = new Map([...first].filter(([id]) => !computed.has(id)));
    this.#rest = new Set(sources.keys());
    for (const node of nodes) {
      for (const id of this.#sourcesOf(node)) this.#uses.set(id, (this.#uses.get(id) ?? 0) + 1);
    }
  }

  /** Notes that an operation has been passed; returns the indices of the sources that are complete now. */
  passBy(node: TapeNode): readonly number[] {
    const complete: number[] = [];
    for (const id of this.#sourcesOf(node)) {
      const uses = this.#uses.get(id)! - 1;
      this.#uses.set(id, uses);
      if (uses > 0) continue;
      const index = this.#places.get(id)!;
      this.#rest.delete(index);
      complete.push(index);
    }
    return complete;
  }

  /** The indices of the other sources. */
  rest(): readonly number[] {
    return [...this.#rest];
  }

  #sourcesOf({ inputs }: TapeNode): ReadonlySet<number> {
    const ids = Object.values(inputs).map(({ id }) => id);
    return new Set(ids.filter((id) => this.#places.has(id)));
  }
}

/** Adds an operation's gradients to those of its inputs, in each pass; returns what waits for sums. */
function differentiate(
  node: TapeNode,
  paths: TapePaths,
  passes: readonly PassGradients[],
  joint: boolean,
): readonly Waiting[] {
  const waiting: Waiting[] = [];
  for (const pass of passes) {
    if (!node.outputs.some((output) => pass.has(output))) continue;
    const before = waiting.length;
    for (const [name, input, gradient] of inputGradients(node, paths, pass, joint)) {
      if ('make' in gradient) waiting.push({ ...gradient, pass, name, input, node });
      else pass.add(input, gradient);
    }
    // What waits still needs the gradients of the outputs.
    if (waiting.length === before) pass.release(node.outputs);
  }
  return waiting;
}

/** Makes the gradients that waited for sums; returns their operations. */
function finish(waiting: readonly Waiting[], sums: Float64Array): ReadonlySet<TapeNode> {
  let offset = 0;
  for (const { node, pass, name, input, values, make } of waiting) {
    const own = sums.slice(offset, (offset += values.length));
    const gradient = scoped(() => {
      const made = make(own);
      checkSize(node.kernelName, name, input, made);
      return made;
    });
    pass.add(input, gradient);
  }
  for (const { node, pass } of waiting) pass.release(node.outputs);
  return new Set(waiting.map(({ node }) => node));
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Computes the gradients with respect to those inputs of one operation that lie on a path, in a tidy of its own. */
function inputGradients(
  node: TapeNode,
  paths: TapePaths,
  gradients: PassGradients,
  joint: boolean,
): (readonly [name: string, input: Tensor, gradient: Tensor | DeferredGradient])[] {
  const inputs = Object.entries(node.inputs).filter(([, input]) => paths.reached.has(input.id));
  // An operation without a float32 output, such as argMax or a comparison, passes no gradient on.
  if (inputs.length === 0 || !node.outputs.some((output) => paths.reached.has(output.id)))
    return [];
  const names = inputs.map(([name]) => name);
  const given = node.outputs.map((output) => gradients.get(output));
  if (!joint) {
    const made = watchGradient(node, names, given, () => gradientsAt(node, names, given));
    return inputs.map(([name, input], index) => [name, input, made[index]!]);
  }
  let later = nothingDeferred;
  // Where a check fails, the tidy frees all.
  const made = scoped(() => {
    const { result, deferred } = collectDeferred(() => unchecked(node, names, given));
    later = deferred;
    checkStandIns(node.kernelName, result, deferred);
    checkSizes(node, names, result, deferred);
    return result;
  });
  return inputs.map(([name, input], index) => {
    const gradient = made[index]!;
    const put = later.get(gradient);
    if (put !== undefined) gradient.dispose();
    return [name, input, put ?? gradient];
  });
}

/**
 * Computes the gradients of one operation, in a tidy of its own.
 *
 * @param names - of the inputs to differentiate by
 * @param given - the gradients of the operation's outputs; null for zeros
 * @throws MultigradError `missing-gradients`
 */
export function gradientsAt(
  node: TapeNode,
  names: readonly string[],
  given: readonly (Tensor | null)[],
): readonly Tensor[] {
  return scoped(() => {
    const result = unchecked(node, names, given);
    checkSizes(node, names, result, nothingDeferred);
    return result;
  });
}

function unchecked(
  { gradient: gradientsOf, kernelName }: TapeNode,
  names: readonly string[],
  given: readonly (Tensor | null)[],
): readonly Tensor[] {
  if (gradientsOf === undefined) throw missingGradient(kernelName);
  const thunks = gradientsOf([...given]);
  return names.map((name) => {
    const thunk = own(thunks, name);
    if (thunk === undefined) throw missingGradient(kernelName, name);
    return scoped(thunk);
  });
}

/** Checks that each tensor which stands for a later gradient is a result. @throws MultigradError `unsupported` */
function checkStandIns(
  kernel: string,
  result: readonly Tensor[],
  deferred: ReadonlyMap<Tensor, DeferredGradient>,
): void {
  const found = new Set(result.filter((gradient) => deferred.has(gradient)));
  if (found.size === deferred.size) return;
  throw new MultigradError(
    'unsupported',
    `The gradient of ${kernel} should return what \`gradientFromSums\` returns as it is. Found that it computes with it.`,
  );
}

const nothingDeferred: ReadonlyMap<Tensor, DeferredGradient> = new Map();

/** @throws MultigradError `missing-gradients` */
function checkSizes(
  { kernelName, inputs }: TapeNode,
  names: readonly string[],
  gradients: readonly Tensor[],
  deferred: ReadonlyMap<Tensor, DeferredGradient>,
): void {
  names.forEach((name, index) => {
    const gradient = gradients[index]!;
    if (!deferred.has(gradient)) checkSize(kernelName, name, own(inputs, name)!, gradient);
  });
}

/** @throws MultigradError `missing-gradients` */
function checkSize(kernel: string, name: string, input: Tensor, gradient: Tensor): void {
  if (gradient.size === input.size) return;
  throw new MultigradError(
    'missing-gradients',
    `The gradient of ${kernel} for its input \`${name}\` should have shape [${input.shape.join(', ')}]. ` +
      `Found [${gradient.shape.join(', ')}].`,
  );
}
