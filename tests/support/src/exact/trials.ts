import {
  type Gramian,
  type GradientStrategy,
  gramianOf,
  groupGradients,
  norms,
  randomState,
  resumeRandom,
} from '@multigrad/core/strategy';
import { combineExactly, type ExactGradients, exactGradients } from './gradients.ts';
import {
  dotExactly,
  exactLength,
  exactVector,
  type ExactVector,
  nearestDouble,
} from './numbers.ts';

/** Gradients without rounding, and a Gramian of them as it comes from an engine that rounds. */
export interface Trial {
  readonly gradients: ExactGradients;
  readonly gramian: Gramian;
  /** `|g_k|`. */
  readonly lengths: readonly number[];
  /** The Gramian's stated error and a solver's own rounding, `relativeError + K · 2⁻⁵⁰`. */
  readonly error: number;
}

/** What a strategy answered and what it means for the gradients without rounding. */
export interface Answer {
  readonly weights: Float64Array;
  readonly note: string | undefined;
  readonly update: ExactVector;
  readonly length: number;
  /** The largest of `−⟨u, g_k⟩ / (|u| |g_k|)`; 0 where there is no conflict. */
  readonly conflict: number;
}

/** A trial of rows whose Gramian is known as it is stated. */
export function trialOf(jacobian: readonly number[][], gramian: Gramian): Trial {
  const gradients = exactGradients(jacobian);
  return {
    gradients,
    gramian,
    lengths: gradients.rows.map(exactLength),
    error: gramian.relativeError + gramian.size * 2 ** -50,
  };
}

/**
 * The Gramian with entries moved by up to `noise · |g_i| |g_j|`, as it then states: at random, or by all of it up or down
 * at random, or all of them down by all of it, in turn.
 */
export function noisyGramian(jacobian: readonly number[][], noise: number, seed: number): Gramian {
  const gramian = gramianOf(jacobian);
  const { size, values } = gramian;
  const lengths = norms(gramian);
  const random = resumeRandom(randomState(seed, 'noise of a Gramian'));
  const kinds = [() => 2 * random.uniform() - 1, () => (random.uniform() < 0.5 ? -1 : 1), () => -1];
  // Not the turn of matrices, which is of three kinds too.
  const moved = kinds[Math.floor(seed / 3) % 3]!;
  for (let i = 0; i < size; i += 1) {
    for (let j = i; j < size; j += 1) {
      values[i * size + j]! += moved() * noise * lengths[i]! * lengths[j]!;
      values[j * size + i] = values[i * size + j]!;
    }
  }
  return { size, values, relativeError: gramian.relativeError + noise };
}

/**
 * A Gramian whose inner products of different gradients are moved by up to `noise · |g_i| |g_j|` at random, as it then
 * states.
 */
export function withCrossNoise(
  { size, values, relativeError }: Gramian,
  noise: number,
  seed: number,
): Gramian {
  const random = resumeRandom(randomState(seed, 'noise'));
  const noisy = values.slice();
  for (let i = 0; i < size; i += 1) {
    for (let j = 0; j < i; j += 1) {
      const scale = Math.sqrt(values[i * size + i]! * values[j * size + j]!);
      noisy[i * size + j]! += noise * (2 * random.uniform() - 1) * scale;
      noisy[j * size + i] = noisy[i * size + j]!;
    }
  }
  return { size, values: noisy, relativeError: relativeError + noise };
}

/** What a strategy makes of a trial. */
export function answerOf(strategy: GradientStrategy, trial: Trial): Answer {
  const { gramian } = trial;
  const objectives = trial.lengths.map((_, k) => String(k));
  const state = strategy.init({ key: 'trial', objectives, tensors: ['trial'] });
  const { weights, note } = strategy.integrate(groupGradients({ objectives, gramian }), state);
  return answerTo(trial, weights, note);
}

/** What weights mean for the gradients of a trial. */
export function answerTo(
  { gradients, lengths }: Trial,
  weights: Float64Array,
  note: string | undefined,
): Answer {
  const update = combineExactly(gradients, exactVector(weights));
  const length = exactLength(update);
  let conflict = 0;
  gradients.rows.forEach((row, k) => {
    if (length === 0 || lengths[k] === 0) return;
    const product = nearestDouble(dotExactly(update, row));
    conflict = Math.max(conflict, -product / length / lengths[k]!);
  });
  return { weights, note, update, length, conflict };
}
