import { MultigradError, own } from '@multigrad/core/strategy';
import { describeValue, didYouMean, listNames } from '@multigrad/core/support';
import { type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import {
  type ArrayLikeTensor,
  isRecord,
  type Named,
  namedTensors,
  type Port,
} from './named-tensors.ts';

/** A weight for each class, by the number of the class. */
export type ClassWeight = Readonly<Record<number, number>>;

/** Class weights of the one output, or by the name of an output. */
export type ClassWeights = ClassWeight | Readonly<Record<string, ClassWeight>>;

/** The weight of each sample in each output; null where all have 1. */
export function sampleWeights(
  given: Named<ArrayLikeTensor> | undefined,
  outputs: readonly Port[],
  samples: number,
): (Tensor | null)[] {
  if (given === undefined) return outputs.map(() => null);
  const names = outputs.map(({ name }) => name);
  const record = isRecord(given)
    ? given
    : Object.fromEntries(names.map((name) => [name, given as ArrayLikeTensor]));
  const unknown = Object.keys(record).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new MultigradError(
      'invalid-option',
      `Option \`sampleWeight\` should name outputs with a loss: ${listNames(names)}. Found \`${unknown}\`.${didYouMean(unknown, names)}`,
    );
  }
  const made: (Tensor | null)[] = [];
  try {
    for (const name of names) {
      const numbers = own(record, name);
      if (numbers === undefined) {
        made.push(null);
        continue;
      }
      const [weights] = namedTensors('sampleWeight', { [name]: numbers }, [
        { name, shape: [null], free: true },
      ]);
      made.push(weights!);
      if (weights!.rank === 1 && weights!.shape[0] === samples) continue;
      throw new MultigradError(
        'invalid-data',
        `Option \`sampleWeight\` should have one number for each of ${samples} samples. Found the shape [${weights!.shape.join(', ')}]${names.length > 1 ? ` for \`${name}\`` : ''}.`,
      );
    }
    return made;
  } catch (error) {
    for (const one of made) one?.dispose();
    throw error;
  }
}

/** Class weights by output. @throws MultigradError `invalid-option` for a name or a weight that does not fit */
export function classWeightsOf(
  given: ClassWeights | undefined,
  outputs: readonly Port[],
): ReadonlyMap<string, ClassWeight> {
  if (given === undefined) return new Map();
  const names = outputs.map(({ name }) => name);
  const whole = Object.values(given).every((weight) => typeof weight === 'number');
  if (whole && outputs.length > 1) {
    throw new MultigradError(
      'invalid-option',
      `Option \`classWeight\` should name an output where a model has several with a loss: ${listNames(names)}. Found weights for all of them.`,
    );
  }
  const byName = (whole ? { [names[0]!]: given } : given) as Readonly<Record<string, ClassWeight>>;
  for (const [name, weights] of Object.entries(byName)) {
    if (!names.includes(name)) {
      throw new MultigradError(
        'invalid-option',
        `Option \`classWeight\` should name outputs with a loss: ${listNames(names)}. Found \`${name}\`.${didYouMean(name, names)}`,
      );
    }
    for (const [label, weight] of Object.entries(weights)) {
      if (typeof weight === 'number' && Number.isFinite(weight) && weight >= 0) continue;
      throw new MultigradError(
        'invalid-option',
        `Option \`classWeight.${name}[${label}]\` should be a finite number >= 0. Found ${describeValue(weight)}.`,
      );
    }
  }
  return new Map(Object.entries(byName));
}

/** The labels of an output as numbers. */
export interface LabelNumbers {
  /** Class numbers, n × 1, or one-hot rows, n × classes. */
  readonly values: ArrayLike<number>;
  readonly shape: readonly number[];
  /** 0 for each sample without a label; undefined where all have one. */
  readonly present: ArrayLike<number> | undefined;
  /** The weight of each sample; undefined for 1. */
  readonly given: ArrayLike<number> | undefined;
}

/**
 * The weight of each sample times that of its class.
 *
 * @throws MultigradError `invalid-data` for a class without a weight
 */
export function classWeights(
  name: string,
  classWeight: ClassWeight,
  { values, shape, present, given }: LabelNumbers,
): Tensor {
  const [count = 0, width = 1] = shape;
  if (shape.length > 2) {
    throw new MultigradError(
      'invalid-data',
      `Option \`classWeight\` is for labels of one class for each sample. Found labels of shape [${shape.join(', ')}] in \`${name}\`: use \`sampleWeight\`.`,
    );
  }
  const product = Float32Array.from({ length: count }, (_, sample) => {
    if (present?.[sample] === 0) return 0;
    const label = classOf(values, sample, width);
    const weight = classWeight[label];
    if (weight !== undefined) return weight * (given?.[sample] ?? 1);
    throw new MultigradError(
      'invalid-data',
      `Option \`classWeight\` should have a weight for every class of \`${name}\`. Found class ${label} in the labels and none for it.`,
    );
  });
  return tensor1d(product);
}

function classOf(values: ArrayLike<number>, sample: number, width: number): number {
  if (width === 1) return Math.floor(values[sample]!);
  let best = 0;
  for (let index = 1; index < width; index += 1) {
    if (values[sample * width + index]! > values[sample * width + best]!) best = index;
  }
  return best;
}
