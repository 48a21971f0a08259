import { integrateGradients } from '@multigrad/core';
import {
  type GradientStrategy,
  type Gramian,
  randomState,
  resumeRandom,
} from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import { combineExactly } from './gradients.ts';
import { exactLength, exactVector, subtractExactly } from './numbers.ts';
import { type Answer, answerTo, type Trial, trialOf } from './trials.ts';

/** A small network whose objectives pull in opposite directions. */
export interface OpposedNetwork {
  readonly variables: readonly tf.Variable[];
  readonly objectives: readonly string[];
  readonly losses: () => Record<string, tf.Scalar>;
  readonly dispose: () => void;
}

/** What a strategy made of a network's gradients, in float32 as the engine computes. */
export interface EngineAnswer {
  readonly trial: Trial;
  readonly answer: Answer;
  /** How far the update is from its weights' sum without rounding, over `2⁻²² Σ |w_k| |g_k|`. */
  readonly rounding: number;
}

/** Two dense layers and K = 2 … 8 objectives: some losses, their negatives, multiples and sums. */
export function opposedNetwork(seed: number): OpposedNetwork {
  const random = resumeRandom(randomState(seed, 'opposed network'));
  const below = (bound: number): number => Math.floor(random.uniform() * bound);
  const numbers = (...shape: [number, number]): tf.Tensor2D =>
    tf.tensor2d(
      Float32Array.from({ length: shape[0] * shape[1] }, () => random.normal()),
      shape,
    );
  const size = 2 + (seed % 7);
  const [inputs, hidden, outputs, batch] = [1 + below(4), 1 + below(4), 1 + below(3), 4];
  const variables = tf.tidy(() =>
    [numbers(inputs, hidden), numbers(hidden, outputs)].map((value) => tf.variable(value)),
  );
  const data = numbers(batch, inputs);
  const targets = Array.from({ length: 1 + below(Math.ceil(size / 2)) }, () =>
    numbers(batch, outputs),
  );
  // Each objective is a sum of multiples of the squared errors; every second one is an earlier one, reversed.
  const parts: number[][] = [];
  for (let k = 0; k < size; k += 1) {
    const older = parts[below(k)];
    const kind = random.uniform();
    const factor = [1, 1, 0.7, 30][below(4)]!;
    if (older !== undefined && kind < 0.5) parts.push(older.map((part) => -factor * part));
    else if (older !== undefined && kind < 0.6) parts.push([...older]);
    else parts.push(targets.map((_, t) => (t === k % targets.length ? factor : below(3) - 1)));
  }
  const objectives = parts.map((_, k) => `objective ${k}`);
  return {
    variables,
    objectives,
    losses: () => {
      const [first, second] = variables as [tf.Variable, tf.Variable];
      const found = tf.matMul(
        tf.tanh(tf.matMul(data, first as unknown as tf.Tensor2D)),
        second as unknown as tf.Tensor2D,
      );
      const errors = targets.map((target) => tf.mean(tf.squaredDifference(found, target)));
      return Object.fromEntries(
        parts.map((factors, k) => [
          objectives[k]!,
          errors.map((error, t) => tf.mul(error, factors[t]!)).reduce((a, b) => tf.add(a, b)),
        ]),
      ) as Record<string, tf.Scalar>;
    },
    dispose: () => tf.dispose([...variables, data, ...targets]),
  };
}

/** The gradients of each objective alone, as TensorFlow.js computes them. */
export function gradientsOf({ variables, objectives, losses }: OpposedNetwork): number[][] {
  return objectives.map((name) => {
    const { value, grads } = tf.variableGrads(() => losses()[name]!, [...variables]);
    const row = variables.flatMap((variable) => [...grads[variable.name]!.dataSync()]);
    tf.dispose([value, grads]);
    return row;
  });
}

/** Lets the engine integrate the objectives by a strategy, and looks at what it showed and took. */
export async function engineAnswer(
  network: OpposedNetwork,
  rows: readonly number[][],
  strategy: GradientStrategy,
): Promise<EngineAnswer> {
  const { variables, losses } = network;
  let gramian: Gramian | undefined;
  let weights: Float64Array | undefined;
  let note: string | undefined;
  const watched: GradientStrategy = {
    ...strategy,
    integrate(gradients, state) {
      gramian = gradients.gramian;
      const integration = strategy.integrate(gradients, state);
      ({ weights, note } = integration);
      return integration;
    },
  };
  const { gradients } = await integrateGradients(watched, losses, variables);
  const found = variables.flatMap((variable) => [...gradients[variable.name]!.dataSync()]);
  tf.dispose(gradients);
  const trial = trialOf(rows, gramian!);
  const answer = answerTo(trial, weights!, note);
  const away = exactLength(
    subtractExactly(exactVector(found), combineExactly(trial.gradients, exactVector(weights!))),
  );
  const uncancelled = trial.lengths.reduce(
    (sum, length, k) => sum + Math.abs(weights![k]!) * length,
    0,
  );
  return { trial, answer, rounding: away === 0 ? 0 : away / (2 ** -22 * uncancelled) };
}
