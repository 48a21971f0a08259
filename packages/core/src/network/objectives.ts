import { mean, type Scalar, Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';

/**
 * One objective's value: its loss, or its loss with further numbers that are reported but not differentiated.
 *
 * All of them are scalar tensors. The type admits any tensor, as TensorFlow.js types `tf.mean(…)` so; the rank is
 * checked when the value is read.
 */
export type ObjectiveValue =
  | Tensor
  | {
      readonly loss: Tensor;
      readonly metrics?: Readonly<Record<string, Tensor>>;
      /**
       * The number of samples over which loss and metrics are means, where that is not the whole batch: labels may be
       * missing. Ranks that train together weight their means by it. @defaultValue the size of the batch
       */
      readonly samples?: Tensor | number;
    }
  | SampleLosses;

/** Losses of which each sample of a batch has one; {@link perSample} makes it. */
export interface SampleLosses {
  readonly [samplesMarker]: true;
  /** Of shape [batch]. */
  readonly losses: Tensor;
  readonly metrics: Readonly<Record<string, Tensor>>;
}

const samplesMarker: unique symbol = Symbol('multigrad.samples');

/**
 * Makes an objective of each sample of a batch: the strategy sees K = batch objectives `L_i`, named `sample 0`, `sample 1`, …
 * by their place in the batch, and the update is `Σ_i w_i ∇L_i`. This is instance-wise risk minimisation.
 *
 * The Gramian `G_ij = ⟨∇L_i, ∇L_j⟩` is exact, and no Jacobian is made: one backward pass gives each layer's inputs `x_i` and
 * the gradients `δ_i` of its outputs, and for a dense layer `⟨g_i, g_j⟩ = ⟨x_i, x_j⟩⟨δ_i, δ_j⟩`. A second backward pass of
 * `Σ_i w_i L_i` gives the update. The loss reported is the mean.
 *
 * Each sample's loss has to depend on that sample alone. Batch norm in training, and whatever else computes a sample from
 * others, is refused by name.
 *
 * @param losses - one loss for each sample, of shape [batch], float32; not divided by the size of the batch
 * @param metrics - scalars that are reported and not differentiated
 *
 * @example
 * ```ts
 * import { integrateGradients, perSample } from '@multigrad/core';
 * import { upgrad } from '@multigrad/strategy-upgrad';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import '@tensorflow/tfjs-layers';
 *
 * const kernel = tf.variable(tf.tensor2d([[1], [-1]]), true, 'kernel');
 * const x = tf.tensor2d([[1, 0], [0, 2]]);
 * const y = tf.tensor2d([[0], [0]]);
 * const { losses, groups, gradients } = await integrateGradients(
 *   upgrad(),
 *   () => ({ error: perSample(tf.sum(tf.squaredDifference(tf.matMul(x, kernel), y), 1)) }),
 *   [kernel],
 * );
 * console.log(losses.error, groups[0]?.objectives, groups[0]?.norms); // 2.5, sample 0, sample 1, 2, 8
 * tf.dispose(gradients);
 * ```
 *
 * @see Rahmoun et al., "Jacobian Descent for Multi-Objective Optimization", 2024 (https://arxiv.org/abs/2406.16232), for
 * instance-wise risk minimisation
 */
export function perSample(
  losses: Tensor,
  metrics: Readonly<Record<string, Tensor>> = {},
): SampleLosses {
  return { [samplesMarker]: true, losses, metrics };
}

/** The objectives of one forward pass, by name; one that is left out or null is absent at this step. */
export type Objectives<Name extends string = string> = Readonly<
  Partial<Record<Name, ObjectiveValue | null | undefined>>
>;

/** The result of a forward pass with gradients at the features: objectives, and each group's cut tensor. */
export interface FeatureObjectives<Name extends string = string> {
  readonly [featuresMarker]: true;
  readonly objectives: Objectives<Name>;
  readonly features: Readonly<Record<string, Tensor>>;
}

const featuresMarker: unique symbol = Symbol('multigrad.features');

/**
 * Names the tensors at which gradients are integrated with `level: 'features'`: one for each shared part, such as an
 * encoder's output.
 *
 * @example
 * ```ts
 * import { withFeatures } from '@multigrad/core';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const shared = tf.tensor2d([[1, 2]]);
 * const result = withFeatures({ task: tf.sum(shared) }, { trunk: shared });
 * console.log(Object.keys(result.features)); // [ 'trunk' ]
 * ```
 */
export function withFeatures<Name extends string>(
  objectives: Objectives<Name>,
  features: Readonly<Record<string, Tensor>>,
): FeatureObjectives<Name> {
  return { [featuresMarker]: true, objectives, features };
}

/** One present objective, checked. */
export interface PresentObjective {
  readonly name: string;
  readonly loss: Scalar;
  readonly metrics: Record<string, Scalar>;
  /** Number of samples over which loss and metrics are means; null for the whole batch. */
  readonly samples: Scalar | number | null;
  /** The losses of the single samples, whose mean is `loss`; null where they are no objectives. */
  readonly losses: Tensor1D | null;
}

/** A checked forward pass: the objectives present, in the order of the record, and the cut tensors. */
export interface ForwardResult {
  readonly objectives: PresentObjective[];
  /** Null unless the closure used `withFeatures`. */
  readonly features: Record<string, Tensor> | null;
}

/**
 * Checks what a forward closure returned.
 *
 * @param mayBeEmpty - whether it is allowed that no objective is present
 * @throws MultigradError `invalid-objective` when an objective is no scalar, or none is present
 */
export function readForward(
  returned: Objectives | FeatureObjectives,
  mayBeEmpty = false,
): ForwardResult {
  if (typeof (returned as unknown) !== 'object' || (returned as unknown) === null) {
    throw new MultigradError(
      'invalid-objective',
      `The forward function should return a record of objectives by name. Found ${describe(returned)}.`,
    );
  }
  const record = isFeatureObjectives(returned) ? returned.objectives : returned;
  const objectives = Object.entries(record)
    .filter(
      (entry): entry is [string, ObjectiveValue] => entry[1] !== null && entry[1] !== undefined,
    )
    .map(([name, value]) => readObjective(name, value));
  const bySample = objectives.find(({ losses }) => losses !== null);
  if (bySample !== undefined && objectives.length > 1) {
    throw new MultigradError(
      'invalid-objective',
      `Per-sample losses should be the only objective. Found \`${bySample.name}\` beside ${objectives.length - 1} more.`,
    );
  }
  if (objectives.length === 0 && !mayBeEmpty) {
    throw new MultigradError(
      'invalid-objective',
      'The forward function should return at least one objective that is present. ' +
        `Found ${Object.keys(record).length === 0 ? 'an empty record' : `only absent ones: ${Object.keys(record).join(', ')}`}.`,
    );
  }
  return { objectives, features: isFeatureObjectives(returned) ? { ...returned.features } : null };
}

function isFeatureObjectives(value: Objectives | FeatureObjectives): value is FeatureObjectives {
  return featuresMarker in value;
}

function readObjective(name: string, value: ObjectiveValue): PresentObjective {
  if (!isTensor(value) && samplesMarker in value) {
    const losses = readVector(`Objective \`${name}\``, value.losses);
    const { metrics } = value;
    return { ...readObjective(name, { loss: mean(losses), metrics }), losses };
  }
  const named = !isTensor(value) && 'loss' in value;
  const { loss, metrics = {}, samples = null } = named ? value : { loss: value };
  return {
    name,
    loss: readScalar(`Objective \`${name}\``, loss),
    metrics: Object.fromEntries(
      Object.entries(metrics).map(([metric, scalar]) => [
        metric,
        readScalar(`Metric \`${metric}\` of objective \`${name}\``, scalar),
      ]),
    ),
    samples:
      samples === null || typeof samples === 'number'
        ? samples
        : readScalar(`The number of samples of objective \`${name}\``, samples),
    losses: null,
  };
}

function readVector(what: string, value: unknown): Tensor1D {
  if (isTensor(value) && value.rank === 1 && value.size > 0 && value.dtype === 'float32') {
    return value as Tensor1D;
  }
  throw new MultigradError(
    'invalid-objective',
    `${what} should have a float32 loss for each sample, of shape [batch]. Found ${describe(value)}.`,
  );
}

function readScalar(what: string, value: unknown): Scalar {
  if (isTensor(value) && value.rank === 0 && value.dtype !== 'string') return value as Scalar;
  throw new MultigradError(
    'invalid-objective',
    `${what} should be a scalar tensor, such as tf.mean(…) returns. Found ${describe(value)}.`,
  );
}

function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}

function describe(value: unknown): string {
  if (isTensor(value)) return `a ${value.dtype} tensor of shape [${value.shape.join(', ')}]`;
  if (value instanceof Promise) return 'a promise (the forward function must be synchronous)';
  if (Array.isArray(value)) return 'an array';
  return value === null
    ? 'null'
    : typeof value === 'object'
      ? 'an object without a loss'
      : typeof value;
}
