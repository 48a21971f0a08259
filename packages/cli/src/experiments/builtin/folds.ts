import { randomState, resumeRandom } from '@multigrad/core/strategy';
import type { Part } from '@multigrad/datasets';

/** One fold of a cross-validation. */
export interface Fold {
  /** Number of the fold that tests, from 0. */
  readonly fold: number;
  readonly folds: number;
  /** How many of the other samples validate. */
  readonly validation: number;
}

/**
 * The part of each sample in a stratified cross-validation: each fold has the same share of each class, and is the same
 * whatever the seed of a run; so are the samples that validate, spread evenly over the classes.
 *
 * @param labels - the class of each sample, from 0
 */
export function foldParts(labels: ArrayLike<number>, { fold, folds, validation }: Fold): Part[] {
  const random = resumeRandom(randomState(0, 'folds'));
  const order = Array.from(random.permutation(labels.length));
  const classes = Math.max(...Array.from(labels)) + 1;
  const parts = new Array<Part>(labels.length);
  for (let label = 0; label < classes; label += 1) {
    const samples = order.filter((sample) => labels[sample] === label);
    const rest = samples.filter((_, place) => place % folds !== fold);
    const validated = Math.floor(validation / classes) + (label < validation % classes ? 1 : 0);
    samples.forEach((sample) => {
      parts[sample] = 'test';
    });
    rest.forEach((sample, place) => {
      parts[sample] = place < validated ? 'validation' : 'train';
    });
  }
  return parts;
}
