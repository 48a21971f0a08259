import { own } from '../base/own.ts';
import { clone, onesLike, type Tensor } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import { mendTape } from './mend-tape.ts';
import { missingGradient } from './missing-gradient.ts';
import { scoped } from './ownership.ts';
import { PassGradients } from './pass-gradients.ts';
import { tapeEngine, type TapeNode, youngestTensorId } from './tape-internals.ts';

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
      const gradients = new PassGradients(paths.sources, youngestTensorId());
      for (const { tensor, gradient } of seeds) {
        if (paths.reached.has(tensor.id)) gradients.add(tensor, gradient ?? onesLike(tensor));
      }
      for (const node of nodes.toReversed()) {
        if (!node.outputs.some((output) => gradients.has(output))) continue;
        for (const [input, gradient] of inputGradients(node, paths, gradients)) {
          gradients.add(input, gradient);
        }
        gradients.release(node.outputs);
      }
      return paths.sources.map((source) => {
        const gradient = gradients.get(source);
        if (gradient === null) return null;
        return gradients.owns(gradient) ? gradient : clone(gradient);
      });
    });
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

/** Computes the gradients with respect to those inputs of one operation that lie on a path, in a tidy of its own. */
function inputGradients(
  node: TapeNode,
  paths: TapePaths,
  gradients: PassGradients,
): [Tensor, Tensor][] {
  const inputs = Object.entries(node.inputs).filter(([, input]) => paths.reached.has(input.id));
  // An operation without a float32 output, such as argMax or a comparison, passes no gradient on.
  if (inputs.length === 0 || !node.outputs.some((output) => paths.reached.has(output.id)))
    return [];
  if (node.gradient === undefined) throw missingGradient(node.kernelName);
  const { gradient: differentiate } = node;
  const results = scoped(() => {
    const thunks = differentiate(node.outputs.map((output) => gradients.get(output)));
    return inputs.map(([name]) => {
      const thunk = own(thunks, name);
      if (thunk === undefined) throw missingGradient(node.kernelName, name);
      return scoped(thunk);
    });
  });
  return inputs.map(([name, input], index) => {
    const gradient = results[index]!;
    if (gradient.size !== input.size) {
      throw new MultigradError(
        'missing-gradients',
        `The gradient of ${node.kernelName} for its input \`${name}\` should have shape [${input.shape.join(', ')}]. ` +
          `Found [${gradient.shape.join(', ')}].`,
      );
    }
    return [input, gradient];
  });
}
