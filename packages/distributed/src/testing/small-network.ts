import {
  type FeatureObjectives,
  fusedAdam,
  fusedMomentum,
  type GradientExchange,
  type Objectives,
  MultiObjectiveTrainer,
  type TrainerOptions,
  withFeatures,
} from '@multigrad/core';
import type { GradientStrategy } from '@multigrad/core/strategy';
import { randomState, resumeRandom } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';

/** Objectives of the small network. */
export type TaskName = 'sine' | 'sign' | 'far';

/** A batch: numbers, and a target for each task, NaN where it is missing. */
export type SmallBatch = { x: tf.Tensor2D; sine: tf.Tensor2D; sign: tf.Tensor2D; far: tf.Tensor2D };

const inputs = 5;
const hidden = 7;
const sizes: readonly (readonly [name: string, shape: readonly number[]])[] = [
  ['trunk/kernel', [inputs, hidden]],
  ['trunk/bias', [hidden]],
  ['sine/kernel', [hidden, 1]],
  ['sign/kernel', [hidden, 2]],
  ['far/kernel', [hidden, 1]],
];

/** Numbers in the variables that all tasks share, and in the heads. */
export const parameters: { readonly shared: number; readonly heads: number } = {
  shared: inputs * hidden + hidden,
  heads: hidden * 4,
};

function numbers(seed: number, what: string, size: number): Float32Array {
  const random = resumeRandom(randomState(seed, what));
  return Float32Array.from({ length: size }, () => 2 * random.uniform() - 1);
}

/** A smooth network of three tasks with one shared layer, whose gradients conflict. */
export class SmallNetwork {
  readonly variables: ReadonlyMap<string, tf.Variable>;

  /** @param seed - of the initial weights */
  constructor(seed = 1) {
    this.variables = new Map(
      sizes.map(([name, shape]) => {
        const size = shape.reduce((product, side) => product * side, 1);
        return [
          name,
          tf.tidy(() => tf.variable(tf.tensor(numbers(seed, name, size), [...shape]), true)),
        ];
      }),
    );
  }

  /** Means over the samples that have a target; a task without one is absent. */
  losses(batch: SmallBatch): Objectives<TaskName> {
    return this.#tasks(this.#features(batch), batch);
  }

  lossesWithFeatures(batch: SmallBatch): FeatureObjectives<TaskName> {
    const features = this.#features(batch);
    return withFeatures(this.#tasks(features, batch), { trunk: features });
  }

  #features({ x }: SmallBatch): tf.Tensor2D {
    return tf.tanh(tf.add(tf.matMul(x, this.#get('trunk/kernel')), this.#get('trunk/bias')));
  }

  #tasks(features: tf.Tensor2D, batch: SmallBatch): Objectives<TaskName> {
    const objective = (task: TaskName): { loss: tf.Tensor; samples: tf.Tensor } | null => {
      const target = batch[task];
      if (target.dataSync().every((value) => Number.isNaN(value))) return null;
      const missing = tf.isNaN(target);
      const samples = tf.sum(tf.sub(1, tf.cast(missing, 'float32')));
      const all = tf.matMul(features, this.#get(`${task}/kernel`));
      const output = tf.sum(all, 1, true);
      const wrong = tf.where(missing, tf.zerosLike(output), tf.sub(output, target));
      return { loss: tf.div(tf.sum(tf.square(wrong)), samples), samples };
    };
    return { sine: objective('sine'), sign: objective('sign'), far: objective('far') };
  }

  #get(name: string): tf.Tensor2D {
    return this.variables.get(name)! as unknown as tf.Tensor2D;
  }

  /** All weights, one after the other. */
  weights(): Float32Array {
    return Float32Array.from(
      Array.from(this.variables.values()).flatMap((one) => [...one.dataSync()]),
    );
  }

  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
  }
}

/**
 * A batch of so many samples.
 *
 * @param missing - share of the targets of `far` that are missing, the last samples'
 * @param reversed - whether the samples come in the opposite order
 */
export function smallBatch(seed: number, size = 12, missing = 0, reversed = false): SmallBatch {
  const column = (values: Float32Array): tf.Tensor2D => {
    const batch = tf.tensor2d(values, [size, values.length / size]);
    if (!reversed) return batch;
    const turned = tf.reverse(batch, 0);
    batch.dispose();
    return turned;
  };
  const x = numbers(seed, 'x', size * inputs);
  const of = (f: (row: Float32Array, sample: number) => number): tf.Tensor2D =>
    column(
      Float32Array.from({ length: size }, (_, i) => f(x.subarray(i * inputs, (i + 1) * inputs), i)),
    );
  return {
    x: column(x),
    sine: of((row) => Math.sin(3 * row[0]! + row[1]!)),
    sign: of((row) => -Math.sin(3 * row[0]!) + row[2]!),
    far: of((row, i) => (i >= size * (1 - missing) ? NaN : 2 * row[3]! - row[0]!)),
  };
}

/** What a run of the small network varies. */
export interface SmallRun {
  readonly strategy: () => GradientStrategy;
  readonly optimizer?: 'sgd' | 'momentum' | 'adam' | 'fused-momentum' | 'fused-adam';
  readonly level?: 'parameters' | 'features';
  readonly options?: Partial<TrainerOptions<SmallBatch, TaskName>>;
}

/** A trainer of a small network, and what frees both. */
export function smallTrainer(
  { strategy, optimizer = 'momentum', level = 'parameters', options = {} }: SmallRun,
  exchange?: GradientExchange,
  seed = 1,
): {
  readonly network: SmallNetwork;
  readonly trainer: MultiObjectiveTrainer<SmallBatch, TaskName>;
  readonly dispose: () => void;
} {
  const network = new SmallNetwork(seed);
  const made = {
    sgd: () => tf.train.sgd(0.05),
    momentum: () => tf.train.momentum(0.05, 0.9),
    adam: () => tf.train.adam(0.01),
    'fused-momentum': () => fusedMomentum(network.variables, { learningRate: 0.05 }),
    'fused-adam': () => fusedAdam(network.variables, { learningRate: 0.01, epsilon: 1e-7 }),
  }[optimizer]();
  const trainer = new MultiObjectiveTrainer<SmallBatch, TaskName>({
    objectives: (batch) =>
      level === 'features' ? network.lossesWithFeatures(batch) : network.losses(batch),
    variables: network.variables,
    strategy: strategy(),
    optimizer: made,
    level,
    ...(exchange === undefined ? {} : { exchange }),
    ...options,
  });
  return {
    network,
    trainer,
    dispose: () => {
      trainer.dispose();
      made.dispose();
      (made as unknown as { c?: tf.Tensor }).c?.dispose();
      network.dispose();
    },
  };
}

/** The largest distance of two lists, relative to the largest number. */
export function distance(a: Float32Array, b: Float32Array): number {
  const largest = a.reduce((before, value) => Math.max(before, Math.abs(value)), 0);
  return a.reduce((before, value, i) => Math.max(before, Math.abs(value - b[i]!)), 0) / largest;
}
