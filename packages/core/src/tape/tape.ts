import type { Tensor } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import { mendTape } from './mend-tape.ts';
import { type BackwardSeed, type TapePaths, walkBack } from './backward-walk.ts';
import { scoped } from './ownership.ts';
import { tapeEngine, type TapeNode } from './tape-internals.ts';

/**
 * One recorded forward pass, over which any number of backward passes can be made.
 *
 * TensorFlow.js frees its own tape after one gradient, so K objectives would need K forward passes, with K dropout masks and K
 * updates of batch-norm statistics. This tape owns the tensors that operations saved, and frees them in `dispose`.
 */
export class Tape<T> {
  /** What the recorded function returned; its tensors belong to the caller. */
  readonly value: T;
  #nodes: readonly TapeNode[] | null;

  private constructor(value: T, nodes: readonly TapeNode[]) {
    this.value = value;
    this.#nodes = nodes;
  }

  /**
   * Runs `forward` once and records its operations.
   *
   * @throws MultigradError `unsupported` inside `tf.grad` and similar functions, which record on a tape of their own
   * @throws whatever `forward` throws; nothing that it made stays alive then
   */
  static record<T>(forward: () => T): Tape<T> {
    const engine = tapeEngine();
    if (engine.state.gradientDepth !== 0) {
      throw new MultigradError(
        'unsupported',
        'A forward pass cannot be recorded inside tf.grad, tf.variableGrads or tf.customGrad: ' +
          'found an open gradient tape, expected none. Call from outside of them.',
      );
    }
    mendTape();
    engine.startTape();
    try {
      const value = scoped(forward);
      return new Tape(value, engine.state.activeTape ?? []);
    } catch (error) {
      for (const node of engine.state.activeTape ?? []) disposeSaved(node);
      throw error;
    } finally {
      engine.endTape();
      engine.state.activeTape = null;
    }
  }

  get #live(): readonly TapeNode[] {
    if (this.#nodes === null) {
      throw new MultigradError(
        'invalid-argument',
        'The tape has been disposed; record the forward pass anew.',
      );
    }
    return this.#nodes;
  }

  /** The recorded operations, in their order. */
  get operations(): readonly TapeNode[] {
    return this.#live;
  }

  /** Every tensor that depends on one of `sources` through differentiable (float32) values. */
  paths(sources: readonly Tensor[]): TapePaths {
    const reached = new Set(sources.map((source) => source.id));
    for (const node of this.#live) {
      if (!Object.values(node.inputs).some((input) => reached.has(input.id))) continue;
      for (const output of node.outputs) if (output.dtype === 'float32') reached.add(output.id);
    }
    return { sources, reached };
  }

  /**
   * Finds the ids of all tensors between `target` and the paths' sources. A source is reached by `target` exactly when its id
   * is in the set, also where its gradient is zero. Ways through the tensors in `cut` do not count.
   */
  ancestors(target: Tensor, paths: TapePaths, cut: ReadonlySet<number> = noTensors): Set<number> {
    const ancestors = new Set<number>();
    if (!paths.reached.has(target.id) || cut.has(target.id)) return ancestors;
    ancestors.add(target.id);
    for (const node of this.#live.toReversed()) {
      if (!node.outputs.some((output) => ancestors.has(output.id))) continue;
      for (const input of Object.values(node.inputs)) {
        if (paths.reached.has(input.id) && !cut.has(input.id)) ancestors.add(input.id);
      }
    }
    return ancestors;
  }

  /**
   * Makes one backward pass: `Σ_seeds gradientᵀ · ∂tensor / ∂source` for each source, `null` for those that no seed reaches.
   *
   * Intermediate gradients are freed as soon as no earlier operation can need them. The tensors returned are new and
   * belong to the caller.
   *
   * @throws MultigradError `missing-gradients` when an operation on the way has no gradient
   */
  backward(seeds: readonly BackwardSeed[], paths: TapePaths): (Tensor | null)[] {
    const nodes = this.#live;
    return scoped(() => {
      const found = paths.sources.map((): Tensor | null => null);
      for (const event of walkBack(nodes, [seeds], paths, false)) {
        if (event.kind === 'source') found[event.index] = event.gradients[0]!;
      }
      return found;
    });
  }

  /**
   * Makes several backward passes side by side, and hands over the gradients of each source as soon as they are complete.
   *
   * Where operations need sums over the ranks, those of all passes are made in one exchange.
   *
   * @param seeds - of each pass
   * @param sum - adds numbers up over the ranks
   * @param take - takes over the gradients of a source, one for each pass, null where it is not reached
   * @throws MultigradError `missing-gradients` when an operation on the way has no gradient
   */
  async backwardTogether(
    seeds: readonly (readonly BackwardSeed[])[],
    paths: TapePaths,
    sum: (values: Float64Array) => Promise<Float64Array>,
    take: (source: number, gradients: readonly (Tensor | null)[]) => Promise<void>,
  ): Promise<void> {
    const walk = walkBack(this.#live, seeds, paths, true);
    let sums: Float64Array | undefined;
    try {
      for (;;) {
        const { done, value: event } = walk.next(sums);
        if (done === true) return;
        sums = undefined;
        if (event.kind === 'sums') sums = await sum(event.values);
        else await take(event.index, event.gradients);
      }
    } finally {
      walk.return();
    }
  }

  /** Frees the tensors that operations saved. Further calls do nothing. */
  dispose(): void {
    this.#nodes?.forEach(disposeSaved);
    this.#nodes = null;
  }
}

const noTensors: ReadonlySet<number> = new Set();

function disposeSaved(node: TapeNode): void {
  for (const tensor of node.saved) tensor.dispose();
}
