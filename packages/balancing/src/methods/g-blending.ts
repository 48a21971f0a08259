import { MultigradError, own, type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import type { BalancingMethod, EpochEnd } from '../contract/method.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { entry, record } from '../support/by-name.ts';

const gBlendingOptions = {
  /** Epochs between two estimates, an integer >= 1. @defaultValue 1 */
  every: {
    kind: 'number',
    default: 1,
    minimum: 1,
    integer: true,
    description: 'Epochs between two estimates, an integer >= 1.',
  },
} as const;

/** Options of {@link gBlending}. */
export interface GBlendingOptions extends OptionsOf<typeof gBlendingOptions> {}

type Losses = { readonly training: number; readonly validation: number };

/** What {@link gBlending} remembers. */
export type GBlendingState = {
  /** Losses by objective at the last estimate; null before the first epoch has ended. */
  readonly before: Readonly<Record<string, Losses>> | null;
  /** The weights in force, by objective; their mean is 1. */
  readonly weights: Readonly<Record<string, number>>;
};

// Least overfitting that is counted, as a share of the generalisation: an objective with none would take all weight.
const leastOverfitting = 0.01;

/**
 * Gradient blending: objectives are weighted by how much they generalise for how much they overfit,
 * `w_k ∝ G_k/O_k²`, estimated anew every few epochs.
 *
 * Between two estimates, with training loss T_k and validation loss V_k: generalisation `G_k = V_k(before) − V_k(now)`,
 * overfitting `O_k = (V_k − T_k)(now) − (V_k − T_k)(before)`. The weights' mean is 1. An objective whose validation loss
 * did not fall weighs nothing until the next estimate; if none fell, weights stay as they are.
 *
 * The paper's setting is the strategy `sum`. Validation data should be no test set.
 *
 * @throws MultigradError `invalid-option`; at the end of an epoch `invalid-data` if it measured no validation loss
 *
 * @example
 * ```ts
 * import { gBlending } from '@multigrad/balancing';
 *
 * const method = gBlending();
 * const { weights } = method.init({ modalities: ['image'], objectives: ['multimodal', 'image'], classes: 2 });
 * console.log(weights); // { multimodal: 1, image: 1 }
 * ```
 *
 * @see Wang, Tran and Feiszli, "What Makes Training Multi-Modal Classification Networks Hard?", CVPR 2020
 * (https://arxiv.org/abs/1905.12681), proposition 1 and algorithm 2
 */
export function gBlending(options: GBlendingOptions = {}): BalancingMethod<GBlendingState> {
  const { every } = resolveOptions('g-blending', gBlendingOptions, options);
  return {
    specification: 1,
    name: 'g-blending',
    needs: { validation: true },
    firstEpoch: Math.max(2, every),
    init: ({ objectives }) => ({ before: null, weights: record(objectives, () => 1) }),
    lossWeights: ({ weights }) => weights,
    afterEpoch: (end, { before, weights }) => {
      if (before !== null && (end.epoch + 1) % every !== 0) return { before, weights };
      const now = record(Object.keys(weights), (name) => lossesOf(name, end));
      return { before: now, weights: (before === null ? null : blend(before, now)) ?? weights };
    },
  };
}

/** The plugin of {@link gBlending}. */
export const plugin: BalancingPlugin<GBlendingOptions> = defineBalancing({
  specification: 1,
  name: 'g-blending',
  title: 'G-Blending',
  summary: 'Weighs objectives by how much they generalise for how much they overfit.',
  paper: {
    title: 'What Makes Training Multi-Modal Classification Networks Hard?',
    authors: ['Weiyao Wang', 'Du Tran', 'Matt Feiszli'],
    venue: 'CVPR',
    year: 2020,
    url: 'https://arxiv.org/abs/1905.12681',
  },
  formula:
    'w_k ∝ G_k / O_k²: G_k the fall of the validation loss, O_k the growth of its distance to the training loss',
  use: 'When modalities overfit at different speeds and there are validation data.',
  serves: 'any network with several objectives and validation data',
  deviations: [
    'The paper trains each modality by itself, from the last checkpoint, to estimate its G and O; here the heads of all train together, so an estimate costs nothing.',
    "The paper's weights add up to 1, here their mean is 1; the learning rate can make up for that difference.",
    '|O_k| counts as at least a hundredth of G_k.',
  ],
  options: gBlendingOptions,
  create: gBlending,
});

/** Weights of mean 1, or null if nothing generalised. */
function blend(
  before: Readonly<Record<string, Losses>>,
  now: Readonly<Record<string, Losses>>,
): Readonly<Record<string, number>> | null {
  const names = Object.keys(now);
  const ratios = names.map((name) => {
    const [was, is] = [entry(before, name), entry(now, name)];
    const generalisation = Math.max(0, was.validation - is.validation);
    const overfitting = Math.abs(is.validation - is.training - (was.validation - was.training));
    if (generalisation === 0) return 0;
    return generalisation / Math.max(overfitting, leastOverfitting * generalisation) ** 2;
  });
  const total = ratios.reduce((sum, ratio) => sum + ratio, 0);
  return total > 0 ? record(names, (_, k) => (ratios[k]! / total) * names.length) : null;
}

function lossesOf(name: string, { trainingLosses, validationLosses = {} }: EpochEnd): Losses {
  const [training, validation] = [own(trainingLosses, name), own(validationLosses, name)];
  if (Number.isFinite(training) && Number.isFinite(validation)) {
    return { training: training!, validation: validation! };
  }
  throw new MultigradError(
    'invalid-data',
    `\`g-blending\` needs a finite training and validation loss of \`${name}\` at the end of each epoch. Found ${training} and ${validation}.`,
  );
}
