import { MultigradError, randomState, resumeRandom } from '@multigrad/core/strategy';
import type { Part } from '@multigrad/datasets';
import type { NumberSetting } from '@multigrad/experiment';

/** The setting for the number of folds of a cross-validation. */
export function foldsSetting(most: number): NumberSetting {
  return {
    ...{ kind: 'number', integer: true, minimum: 2, maximum: most, default: 5 },
    description: `Folds of the cross-validation, 2 to ${most}; seed k tests on fold k modulo this.`,
  };
}

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

/** A cross-validation, as an experiment asks for it. */
export interface Split extends Omit<Fold, 'fold'> {
  /** Seed k tests on fold k modulo the number of folds. */
  readonly seed: number;
  /** The name of the experiment. */
  readonly experiment: string;
  /** What its samples are, in the plural. */
  readonly samples: string;
  /** How many samples there should be to train on. */
  readonly least: number;
}

/**
 * The part of each sample for a seed, as {@link foldParts} has it.
 *
 * @throws MultigradError `invalid-option` where too few samples are left to train on
 */
export function splitBySeed(
  labels: ArrayLike<number>,
  { seed, folds, validation, experiment, samples, least }: Split,
): Part[] {
  const parts = foldParts(labels, { fold: seed % folds, folds, validation });
  if (parts.filter((part) => part === 'train').length >= least) return parts;
  throw new MultigradError(
    'invalid-option',
    `Options \`folds\` and \`validation-size\` of \`${experiment}\` should leave ${least} ${samples} to train on. ` +
      `Found ${folds} and ${validation} for ${labels.length} ${samples}.`,
  );
}
