import { type Scalar, Tensor } from '@tensorflow/tfjs-core';
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
    };

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
  };
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
