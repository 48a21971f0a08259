import type { GradientStrategy } from '@multigrad/core/strategy';
import { cagrad } from '@multigrad/strategy-cagrad';
import { dualproj } from '@multigrad/strategy-dualproj';
import { fairgrad } from '@multigrad/strategy-fairgrad';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { nashMtl } from '@multigrad/strategy-nash-mtl';
import { upgrad } from '@multigrad/strategy-upgrad';
import { combineExactly, minNormPointExactly, projectOntoDualConeExactly } from './gradients.ts';
import {
  compareExactly,
  dotExactly,
  exactLength,
  exactVector,
  type ExactVector,
  nearestDouble,
  nearestDoubles,
  subtractExactly,
} from './numbers.ts';
import type { Answer, Trial } from './trials.ts';

/** What an answer is beside what it may be. */
export interface Verdict {
  /** How far the update is from the one without rounding, over its documented bound; at most 1. */
  readonly error: number;
  /** The largest conflict with a gradient over its documented bound; at most 1. */
  readonly conflict: number;
  /** Whether the update is longer than it may be. */
  readonly longer: boolean;
}

/** A strategy and what exact arithmetic says of its answers. */
export interface JudgedStrategy {
  readonly name: string;
  readonly strategy: GradientStrategy;
  readonly judge: (trial: Trial, answer: Answer) => Verdict;
}

/** Strategies whose answers exact arithmetic can tell right from wrong. */
export const judgedStrategies: readonly JudgedStrategy[] = [
  { name: 'upgrad', strategy: upgrad(), judge: judgeUpgrad },
  { name: 'dualproj', strategy: dualproj(), judge: judgeDualProj },
  { name: 'mgda', strategy: mgda(), judge: judgeMgda },
  { name: 'mmpareto', strategy: mmpareto({ gamma: 1 }), judge: judgeMmpareto },
  { name: 'cagrad', strategy: cagrad(), judge: judgeCaGrad(0.5) },
  { name: 'cagrad:c=1', strategy: cagrad({ c: 1 }), judge: judgeCaGrad(1) },
  { name: 'nash-mtl', strategy: nashMtl(), judge: judgeBalance({ maxNorm: 1 }) },
  { name: 'fairgrad', strategy: fairgrad(), judge: judgeBalance({ share: 1 }) },
];

/** The projection of `Σ u_k g_k`, and the `S* = Σ |v_k| |g_k|` that its documented error is relative to. */
function projection(
  { gradients, lengths }: Trial,
  u: ArrayLike<number>,
): { readonly update: ExactVector; readonly uncancelled: number } {
  const weights = projectOntoDualConeExactly(gradients, exactVector(u));
  return {
    update: combineExactly(gradients, weights),
    uncancelled: uncancelledLength(nearestDoubles(weights), lengths),
  };
}

function judgeDualProj(trial: Trial, { update, conflict }: Answer): Verdict {
  const { gradients, error, lengths } = trial;
  const size = lengths.length;
  const mean = lengths.map(() => 1 / size);
  const reference = combineExactly(gradients, exactVector(mean));
  const expected = projection(trial, mean);
  return {
    error: quotient(
      exactLength(subtractExactly(update, expected.update)),
      12 * size * Math.sqrt(error) * expected.uncancelled,
    ),
    conflict: conflict / (2 * Math.sqrt(error)),
    longer: compareExactly(dotExactly(update, update), dotExactly(reference, reference)) > 0,
  };
}

function judgeUpgrad(trial: Trial, { update, length, conflict }: Answer): Verdict {
  const { error, lengths } = trial;
  const size = lengths.length;
  let rest = update;
  let uncancelled = 0;
  for (const [k] of lengths.entries()) {
    const expected = projection(
      trial,
      lengths.map((_, i) => (i === k ? 1 / size : 0)),
    );
    rest = subtractExactly(rest, expected.update);
    uncancelled += expected.uncancelled;
  }
  return {
    error: quotient(exactLength(rest), 12 * size * Math.sqrt(error) * uncancelled),
    conflict: conflict / (2 * Math.sqrt(size * error)),
    // Of square roots, which round.
    longer:
      length >
      uncancelledLength(
        lengths.map(() => 1 / size),
        lengths,
      ) *
        (1 + size * 2 ** -52),
  };
}

function judgeMgda(trial: Trial, { update, length, conflict }: Answer): Verdict {
  const longest = Math.max(...trial.lengths);
  return {
    error: shortestError(trial, update),
    conflict: conflict / Math.sqrt(trial.error),
    longer: length > longest * (1 + 2 ** -50),
  };
}

/** How far a convex combination is from the shortest, over what rounding explains. */
function shortestError({ gradients, error, lengths }: Trial, update: ExactVector): number {
  const expected = combineExactly(gradients, minNormPointExactly(gradients));
  const found = exactLength(subtractExactly(update, expected));
  return quotient(found, 3 * Math.sqrt(error) * Math.max(...lengths));
}

function judgeMmpareto(trial: Trial, { weights, note, update, length, conflict }: Answer): Verdict {
  const { gradients, error, lengths } = trial;
  const ones = lengths.map(() => 1);
  const sum = exactLength(combineExactly(gradients, exactVector(ones)));
  // Rounding of the lengths of the sum and of the direction, which the update's length is made of.
  const parts = [ones, [...weights]].map((w) => uncancelledLength(w, lengths));
  const rounding = error * ((parts[0]! / sum) ** 2 + (parts[1]! / length) ** 2);
  const verdict = {
    conflict: conflict / Math.sqrt(error),
    longer: length > sum * (1 + rounding),
  };
  // Zero gradients take no part, neither in conflicts nor in the shortest combination.
  const taking = [...lengths.keys()].filter((k) => lengths[k]! > 0);
  const least = taking.length === 0 ? 0 : leastCosine(trial, taking);
  if (note === undefined) return { ...verdict, error: least < -error ? Infinity : 0 };
  if (least > error) return { ...verdict, error: Infinity };
  const shortest = {
    ...trial,
    gradients: {
      rows: taking.map((k) => gradients.rows[k]!),
      gramian: taking.map((i) => taking.map((j) => gradients.gramian[i]![j]!)),
    },
  };
  // The update over the sum of its weights is a convex combination.
  const { numerator, denominator } = dotExactly(exactVector(weights), exactVector(ones));
  const convex = {
    numerators: update.numerators.map((value) => value * denominator),
    denominator: update.denominator * (numerator === 0n ? denominator : numerator),
  };
  return { ...verdict, error: shortestError(shortest, convex) };
}

/**
 * CAGrad maximises the least gain `⟨u, g_k⟩` over `|u − g_0| <= c |g_0|`. For any convex weights w the gain is at most
 * `⟨g_0, g_w⟩ + c |g_0| |g_w|`; those of the answer show how far from the maximum it is.
 */
function judgeCaGrad(c: number) {
  return (trial: Trial, { weights, note, update, length, conflict }: Answer): Verdict => {
    const { gradients, error, lengths } = trial;
    const size = lengths.length;
    const mean = combineExactly(gradients, exactVector(lengths.map(() => 1 / size)));
    const own = exactLength(mean);
    // What the length of the mean is known to: √e times this.
    const longest = Math.max(...lengths);
    if (note === 'stationary') {
      const ofMean = quotient(own, 3 * Math.sqrt(error) * longest);
      const least = c < 1 ? ofMean : Math.min(ofMean, shortestError(trial, update));
      return { error: least, conflict: 0, longer: length > 0 };
    }
    // Those of the answer, and of the shortest combination, which are the limit where it is zero.
    const averse = exactVector(weights.map((weight) => Math.max(0, weight - 1 / size)));
    const sum = averse.numerators.reduce((total, value) => total + value, 0n);
    const candidates = [minNormPointExactly(gradients)];
    if (sum > 0n) candidates.push({ ...averse, denominator: sum });
    const limits = candidates.map((shares) => {
      const combined = combineExactly(gradients, shares);
      return nearestDouble(dotExactly(mean, combined)) + c * own * exactLength(combined);
    });
    const gains = gradients.rows.map((row) => nearestDouble(dotExactly(update, row)));
    return {
      error: quotient(
        Math.max(0, Math.min(...limits) - Math.min(...gains)),
        12 * size * Math.sqrt(error) * (own + Math.sqrt(error) * longest) * longest,
      ),
      conflict: c < 1 ? 0 : conflict / (2 * Math.sqrt(error)),
      longer: length > (1 + c) * own + 3 * Math.sqrt(error) * longest,
    };
  };
}

/**
 * Nash-MTL, and FairGrad with alpha 1: `a_k ⟨u, g_k⟩` is the same for all k, 1 where the update is not clipped to a
 * length.
 */
function judgeBalance({ maxNorm = Infinity, share: given = NaN }) {
  return (trial: Trial, { weights, note, update, length, conflict }: Answer): Verdict => {
    const { gradients, error, lengths } = trial;
    if (note !== undefined) {
      return { error: shortestError(trial, update), conflict: 0, longer: length > 0 };
    }
    const parts = lengths.map((value, k) => value * weights[k]!);
    const total = parts.reduce((a, b) => a + b, 0);
    const shares = gradients.rows.map(
      (row, k) => weights[k]! * nearestDouble(dotExactly(update, row)),
    );
    const mean = shares.reduce((a, b) => a + b, 0) / shares.length;
    const share = Number.isNaN(given) ? mean : given;
    const errors = shares.map((value, k) =>
      // The error of the one, and of the mean.
      quotient(
        Math.abs(value - share),
        2 * (error + 2 ** -36) * (parts[k]! + total / parts.length) * total,
      ),
    );
    return {
      error: Math.max(...errors),
      conflict: conflict / (2 * Math.sqrt(error + 2 ** -36)),
      longer: length ** 2 > maxNorm ** 2 + 2 * error * total ** 2,
    };
  };
}

function leastCosine({ gradients, lengths }: Trial, taking: readonly number[]): number {
  const cosines = taking.flatMap((i) =>
    taking.map(
      (j) =>
        nearestDouble(dotExactly(gradients.rows[i]!, gradients.rows[j]!)) /
        lengths[i]! /
        lengths[j]!,
    ),
  );
  return Math.min(...cosines);
}

function uncancelledLength(weights: readonly number[], lengths: readonly number[]): number {
  return weights.reduce((sum, weight, k) => sum + Math.abs(weight) * lengths[k]!, 0);
}

/** 0 / 0 is 0. */
function quotient(value: number, bound: number): number {
  return value === 0 ? 0 : value / bound;
}
