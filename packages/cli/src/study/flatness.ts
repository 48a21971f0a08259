import { mean } from '../shared/statistics.ts';

/** What a curve may gain over its last fifth and still count as flat: .3 points of a percentage. */
export const flatBelow = 0.003;

/**
 * What a curve of scores gains over the last fifth of training: its mean over the last tenth of epochs, minus that over the
 * tenth of epochs that ends where the last fifth begins. Means, since scores go up and down from epoch to epoch.
 *
 * @param scores - after each epoch
 * @returns null for fewer than five epochs, which have no last fifth
 */
export function lateGain(scores: readonly number[]): number | null {
  const { length } = scores;
  if (length < 5 || !scores.every(Number.isFinite)) return null;
  const tenth = Math.max(1, Math.round(length / 10));
  const fifth = Math.round(length / 5);
  const ending = (end: number): number => mean(scores.slice(end - tenth, end));
  return ending(length) - ending(length - fifth);
}
