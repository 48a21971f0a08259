import { MultigradError } from '@multigrad/core/strategy';
import {
  describeValue,
  type Functional,
  functionalOf,
  interactionFunctional,
  shapleyFunctional,
} from '@multigrad/core/support';
import { missingLabel } from '../losses/labels.ts';
import {
  allBut,
  askCoalitions,
  checkQuestion,
  type CoalitionAnswers,
  everyOf,
  type Masks,
  membersOf,
  only,
  type Predict,
  type Question,
} from './coalition-values.ts';
import { drawn } from './drawn.ts';
import { Moments, type SampleMean } from './moments.ts';

/** What a prediction is worth: 1 for a right one, the label's probability, or that probability's logarithm in nats. */
export type PredictionValue = 'accuracy' | 'probability' | 'log-probability';

/** Options of {@link modalityContributions}. */
export interface ContributionOptions<Modality extends string> {
  /** Entries of a batch that are modalities, two to six. */
  readonly modalities: readonly Modality[];
  /** The entry of a batch that holds the labels. @defaultValue 'label' */
  readonly labels?: string;
  /** What the network sees in the place of a modality that is left out. @defaultValue 'zero' */
  readonly masks?: Masks<NoInfer<Modality>>;
  /** What a prediction is worth. @defaultValue 'accuracy' */
  readonly value?: PredictionValue;
  /**
   * What is taken for v(∅), the value where nothing is seen. `masked`: what the network predicts with every modality masked,
   * the same class for all samples. `uniform`: that of a guess among all classes alike, 1/classes for accuracy and
   * probability. Only with `masked` does a modality that the network ignores get exactly 0. @defaultValue 'masked'
   */
  readonly chance?: 'masked' | 'uniform';
}

/** What modalities contribute, on all samples or on those of a class. */
export interface ContributionFigures<Modality extends string> {
  /** Samples with a label. */
  readonly samples: number;
  /** v(all): the value where every modality is seen, such as the joint accuracy, 0 to 1. */
  readonly joint: number;
  /** v(∅): the value where nothing is seen. */
  readonly chance: number;
  /** Each modality's Shapley value; they add up to `joint − chance`. */
  readonly contributions: Readonly<Record<Modality, SampleMean>>;
}

/** What {@link modalityContributions} returns: plain JSON. */
export interface ModalityContributions<
  Modality extends string,
> extends ContributionFigures<Modality> {
  readonly modalities: readonly Modality[];
  readonly value: PredictionValue;
  readonly classes: number;
  /** v(S) for each set of modalities that may be seen, 2^M of them: nothing first, everything last. */
  readonly coalitions: readonly { readonly seen: readonly Modality[]; readonly value: number }[];
  /** v(all) − v(all but k): what is lost where modality k is masked. */
  readonly drops: Readonly<Record<Modality, SampleMean>>;
  /** v(k) − v(∅): what is gained where modality k alone is seen. */
  readonly gains: Readonly<Record<Modality, SampleMean>>;
  /** Shapley interaction index of each pair: above 0 they complement each other, below 0 they say the same. */
  readonly interactions: readonly (SampleMean & { readonly pair: readonly [Modality, Modality] })[];
  /** v(all) − v(∅) − Σ_k (v(k) − v(∅)): what all have together beyond what each has alone. */
  readonly cooperation: SampleMean;
  /** ρ_k = p_k / mean_{j≠k} p_j, p_k the mean probability of the label where modality k alone is seen. */
  readonly imbalance: Readonly<Record<Modality, number>>;
  /** The same on the samples of each class that occurs. Their means, weighted by samples, are those over all. */
  readonly byClass: readonly (ContributionFigures<Modality> & { readonly label: number })[];
}

/**
 * What each modality contributes to the joint prediction: Shapley values over masks.
 *
 * The players are the modalities, and v(S) is the mean value of the joint prediction (its accuracy, unless told otherwise)
 * where the modalities in S are seen and the others are masked. Modality k's contribution is
 * `φ_k = Σ_{S ∌ k} |S|! (M − |S| − 1)!/M! (v(S ∪ {k}) − v(S))` ({@link shapleyValues}), and
 * `Σ_k φ_k = v(all) − v(∅)`: the joint accuracy's difference to chance. Right answers are counted and weighted in integers,
 * so each φ_k is the exact quotient rounded once. All 2^M sets are measured, on the same samples.
 *
 * Intervals are over samples, at fixed weights: φ_k is the mean of the Shapley values φ_ki of each sample's own game, so
 * its standard error is `sd_i(φ_ki)/√n`, paired over masks. They say nothing about other seeds or networks.
 *
 * It works with any network: `predict` is a function. Beside contributions it returns what papers report of competing
 * modalities: drops of accuracy, interactions of pairs, SHAPE's cooperation, and OGM-GE's ratio.
 *
 * @remarks
 * SHAPE takes a network's inputs as players of the same game and masks by zero, as here by default. OGM-GE's ratio is
 * made of a batch's sums of `softmax(W_k z_k + b/M)`, for a fusion by concatenation; here p_k is the joint prediction's
 * where the others are masked, for any fusion, over all samples.
 *
 * @param predict - logits of a batch; called once for each of the 2^M sets of modalities. What it makes is freed
 * @param batches - batches with the modalities, and labels from 0 or −1 for none, int32; those of an array stay the
 *   caller's, others are freed once used
 * @throws MultigradError `invalid-option` for options out of range, `unsupported` for more than six modalities,
 *   `invalid-data` for batches that do not fit or without a label, `invalid-argument` for what `predict` should not
 *   return, `non-finite` for logits that are NaN or infinite. Nothing stays on the device
 *
 * @example
 * ```ts
 * import { modalityContributions } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * // Class 1 where the sum is above 0: the image tells every sample right, the sound misleads at the second one.
 * const batch = {
 *   image: tf.tensor2d([[-2], [-2], [2], [2]]),
 *   audio: tf.tensor2d([[-1], [3], [1], [1]]),
 *   label: tf.tensor1d([0, 0, 1, 1], 'int32'),
 * };
 * const { contributions, joint, chance } = await modalityContributions(
 *   ({ image, audio }) => tf.concat([tf.zerosLike(image), tf.add(image, audio)], 1),
 *   [batch],
 *   { modalities: ['image', 'audio'] },
 * );
 * console.log(joint, chance); // 0.75 0.5
 * console.log(contributions.image.value, contributions.audio.value); // 0.25 0
 * // Of a network of this package: (batch) => network.forward(batch, { training: false }).multimodal
 * ```
 *
 * @see Hu, Li and Zhou, "SHAPE: An Unified Approach to Evaluate the Contribution and Cooperation of Individual Modalities",
 * IJCAI 2022 (https://arxiv.org/abs/2205.00302); Wei, Feng, Wang and Hu, "Enhancing Multimodal Cooperation via Sample-level
 * Modality Valuation", CVPR 2024 (https://arxiv.org/abs/2309.06255); Peng et al., CVPR 2022
 * (https://arxiv.org/abs/2203.15332), equation 8, for the ratio
 */
export async function modalityContributions<Batch extends object, Modality extends string>(
  predict: Predict<NoInfer<Batch>, NoInfer<Modality>>,
  batches: Iterable<Batch> | AsyncIterable<Batch>,
  options: ContributionOptions<Modality>,
): Promise<ModalityContributions<Modality>> {
  const { modalities, labels = 'label', masks = 'zero' } = options;
  const { value = 'accuracy', chance = 'masked' } = options;
  assertChoice('value', value, ['accuracy', 'probability', 'log-probability']);
  assertChoice('chance', chance, ['masked', 'uniform']);
  const owner = 'modalityContributions';
  const question: Question<Batch, Modality> = { owner, predict, modalities, masks, labels };
  checkQuestion(question);
  const coalitions = 1 << modalities.length;
  const byClass: Moments[] = [];
  const probabilities = new Float64Array(modalities.length);
  let classes = 0;
  for await (const batch of drawn(batches)) {
    const answers = await askCoalitions(question, batch);
    assertSameClasses(classes, answers.classes);
    classes = answers.classes;
    const values = new Float64Array(coalitions);
    for (let i = 0; i < answers.labels.length; i++) {
      const label = answers.labels[i]!;
      if (label === missingLabel) continue;
      for (let s = 0; s < coalitions; s++) values[s] = valueOfSample(answers, s, i, value);
      if (chance === 'uniform') values[0] = uniform(value, classes);
      (byClass[label] ??= new Moments(coalitions)).add(values);
      modalities.forEach((_, k) => {
        probabilities[k]! += Math.exp(answers.logProbabilities[only(k)]![i]!);
      });
    }
  }
  const all = new Moments(coalitions);
  byClass.forEach((moments) => all.addAll(moments));
  if (all.samples === 0) {
    throw new MultigradError(
      'invalid-data',
      '`modalityContributions` should get at least one sample with a label. Found none.',
    );
  }
  return {
    modalities: [...modalities],
    value,
    classes,
    ...figuresOf(all, modalities),
    ...competitionOf(all, modalities),
    imbalance: imbalanceOf(probabilities, modalities),
    // An array with holes for classes that do not occur: they are left out.
    byClass: byClass.flatMap((moments, label) => [{ label, ...figuresOf(moments, modalities) }]),
  };
}

function valueOfSample(
  { hits, logProbabilities }: CoalitionAnswers,
  coalition: number,
  sample: number,
  value: PredictionValue,
): number {
  if (value === 'accuracy') return hits[coalition]![sample]!;
  const logarithm = logProbabilities[coalition]![sample]!;
  return value === 'probability' ? Math.exp(logarithm) : logarithm;
}

function uniform(value: PredictionValue, classes: number): number {
  return value === 'log-probability' ? -Math.log(classes) : 1 / classes;
}

function figuresOf<Modality extends string>(
  moments: Moments,
  modalities: readonly Modality[],
): ContributionFigures<Modality> {
  const { length } = modalities;
  return {
    samples: moments.samples,
    joint: moments.mean(everyOf(length)),
    chance: moments.mean(0),
    contributions: byModality(modalities, (k) => moments.meanOf(shapleyFunctional(length, k))),
  };
}

type Competition<Modality extends string> = Pick<
  ModalityContributions<Modality>,
  'coalitions' | 'drops' | 'gains' | 'interactions' | 'cooperation'
>;

function competitionOf<Modality extends string>(
  moments: Moments,
  modalities: readonly Modality[],
): Competition<Modality> {
  const { length } = modalities;
  const all = everyOf(length);
  const linear = (entries: Iterable<readonly [number, number]>): Functional =>
    functionalOf(length, 1, entries);
  const singles = modalities.map((_, k) => [only(k), -1] as const);
  return {
    coalitions: Array.from({ length: all + 1 }, (_, coalition) => ({
      seen: membersOf(modalities, coalition),
      value: moments.mean(coalition),
    })),
    drops: byModality(modalities, (k) =>
      moments.meanOf(
        linear([
          [all, 1],
          [allBut(length, k), -1],
        ]),
      ),
    ),
    gains: byModality(modalities, (k) =>
      moments.meanOf(
        linear([
          [only(k), 1],
          [0, -1],
        ]),
      ),
    ),
    interactions: modalities.flatMap((second, b) =>
      modalities.slice(0, b).map((first, a) => ({
        pair: [first, second] as const,
        ...moments.meanOf(interactionFunctional(length, a, b)),
      })),
    ),
    cooperation: moments.meanOf(linear([[all, 1], [0, length - 1], ...singles])),
  };
}

function imbalanceOf<Modality extends string>(
  probabilities: Float64Array,
  modalities: readonly Modality[],
): Record<Modality, number> {
  const total = probabilities.reduce((sum, p) => sum + p, 0);
  return byModality(modalities, (k) => {
    const others = (total - probabilities[k]!) / (modalities.length - 1);
    return probabilities[k]! / others;
  });
}

function byModality<Modality extends string, Value>(
  modalities: readonly Modality[],
  valueOf: (k: number) => Value,
): Record<Modality, Value> {
  return Object.fromEntries(modalities.map((modality, k) => [modality, valueOf(k)])) as Record<
    Modality,
    Value
  >;
}

function assertChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (choices.includes(value as string)) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`${name}\` of \`modalityContributions\` should be one of ${choices.map((choice) => `'${choice}'`).join(', ')}. ` +
      `Found ${describeValue(value)}.`,
  );
}

function assertSameClasses(before: number, now: number): void {
  if (before === 0 || before === now) return;
  throw new MultigradError(
    'invalid-argument',
    `\`predict\` of \`modalityContributions\` should return logits of the same ${before} classes for each batch. Found ${now}.`,
  );
}
