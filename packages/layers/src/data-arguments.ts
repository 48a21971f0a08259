import type { DatasetLike } from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import { checkKnownOptions, describeValue } from '@multigrad/core/support';
import type { DatasetElement, Samples } from './model-batches.ts';
import { type ArrayLikeTensor, isRecord, type Named } from './named-tensors.ts';
import type { ValidationData } from './options.ts';

/** Arrays for inputs and outputs, or a data set of batches. */
export type ModelData = Samples | DatasetLike<DatasetElement>;

/** What `fit` and `evaluate` were given. */
interface DataArguments {
  readonly data: ModelData;
  readonly options: object;
}

/**
 * Reads the arguments of `fit` and `evaluate`, which have two forms: `(x, y, options)` and `(data, options)`.
 *
 * @param inputNames - those of the model: `{ x, y }` may be its inputs
 * @throws MultigradError `invalid-data` where there are no labels
 */
export function readArguments(
  given: readonly unknown[],
  inputNames: readonly string[],
): DataArguments {
  const [first, second, third] = given;
  const pair = isRecord(first) && Object.hasOwn(first, 'x') && Object.hasOwn(first, 'y');
  const inputsOfThatName = ['x', 'y'].every((name) => inputNames.includes(name));
  if (isDataset(first) || (pair && !inputsOfThatName && given.length < 3)) {
    if (pair) checkKnownOptions('The data', first, { x: true, y: true, sampleWeight: true });
    return { data: first as unknown as Samples, options: second ?? {} };
  }
  if (given.length < 2) {
    throw new MultigradError(
      'invalid-data',
      `A model should get inputs and labels: \`(x, y, options)\`, \`({ x, y }, options)\`, or a data set of \`{ xs, ys }\`. Found ${describeValue(first)} alone.`,
    );
  }
  return { data: { x: first, y: second } as Samples, options: third ?? {} };
}

/** Whether data are a `tf.data.Dataset`, or what behaves like one. */
export function isDataset(value: unknown): value is DatasetLike<DatasetElement> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'iterator' in value &&
    typeof value.iterator === 'function'
  );
}

/** Data to validate with in the form in which `fit` takes data. @throws MultigradError `invalid-option` */
export function asData(given: ValidationData): ModelData {
  if (!Array.isArray(given)) return given as ModelData;
  const [x, y, sampleWeight] = given as readonly Named<ArrayLikeTensor>[];
  if (x !== undefined && y !== undefined && given.length <= 3) return { x, y, sampleWeight };
  throw new MultigradError(
    'invalid-option',
    `Option \`validationData\` should be [x, y], [x, y, sampleWeight], { x, y } or a data set. Found a list of ${given.length}.`,
  );
}
