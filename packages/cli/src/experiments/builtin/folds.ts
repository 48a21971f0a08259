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
 * whatever the seed of a run; so are the samples that validate, which have that share too.
 *
 * @param labels - the class of each sample, from 0
 */
export function foldParts(labels: ArrayLike<number>, { fold, folds, validation }: Fold): Part[] {
  const random = resumeRandom(randomState(0, 'folds'));
  const order = Array.from(random.permutation(labels.length));
  const classes = Math.max(...Array.from(labels)) + 1;
  const parts = new Array<Part>(labels.length).fill('test');
  const others: { readonly sample: number; readonly at: number }[] = [];
  for (let label = 0; label < classes; label += 1) {
    const samples = order.filter((sample) => labels[sample] === label);
    const rest = samples.filter((_, place) => place % folds !== fold);
    // The k-th of n samples stands at k/n of the way, so that each stretch has its share of every class.
    rest.forEach((sample, place) => others.push({ sample, at: place / rest.length }));
  }
  others
    .sort((a, b) => a.at - b.at)
    .forEach(({ sample }, place) => {
      parts[sample] = place < validation ? 'validation' : 'train';
    });
  return parts;
}
