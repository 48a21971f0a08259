import type { Logs, TrainerCallback } from '@multigrad/core';
import {
  type Json,
  MultigradError,
  type OptionsOf,
  resolveOptions,
  own,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link gBlending}. */
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

/** The loss weights and the callback of {@link gBlending}, for a trainer. */
export interface GBlending<Name extends string> {
  /** The weights in force, all 1 before the first estimate; the trainer reads this object at every step. */
  readonly lossWeights: Readonly<Record<Name, number>>;
  /** Estimates the weights anew at the ends of epochs. */
  readonly callback: TrainerCallback<Name>;
}

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
 * Use it with the strategy `sum` and `validationData` that is no test set.
 *
 * @remarks
 * The paper trains each modality by itself, from the last checkpoint, to estimate its G and O; here the heads of all
 * train together, so an estimate costs nothing. The paper's weights add up to 1; the learning rate can make up for that
 * difference. |O_k| counts as at least a hundredth of G_k.
 *
 * @param objectives - the objectives' names
 * @throws MultigradError `invalid-option` for fewer than two objectives or an option out of its range; at the end of an
 * epoch `invalid-data` if it measured no validation loss
 *
 * @example
 * ```ts
 * import { gBlending } from '@multigrad/models';
 *
 * const { lossWeights, callback } = gBlending(['multimodal', 'image', 'audio']);
 * // new MultiObjectiveTrainer({ …, lossWeights }), trainer.fit(data, { …, validationData, callbacks: [callback] })
 * const losses = (train: number, validation: number) => ({
 *   multimodal_loss: train, image_loss: train, audio_loss: 1,
 *   val_multimodal_loss: validation, val_image_loss: 1, val_audio_loss: 1,
 * });
 * await callback.onEpochEnd?.(0, losses(1, 1));
 * await callback.onEpochEnd?.(1, losses(0.8, 0.9));
 * console.log(lossWeights); // { multimodal: 3, image: 0, audio: 0 }: the only one that generalised
 * ```
 *
 * @see Wang, Tran and Feiszli, "What Makes Training Multi-Modal Classification Networks Hard?", CVPR 2020
 * (https://arxiv.org/abs/1905.12681), proposition 1 and algorithm 2
 */
export function gBlending<Name extends string>(
  objectives: readonly Name[],
  options: GBlendingOptions = {},
): GBlending<Name> {
  const { every } = resolveOptions('gBlending', gBlendingOptions, options);
  if (objectives.length < 2) {
    throw new MultigradError(
      'invalid-option',
      `\`gBlending\` should be given at least two objectives. Found ${objectives.length}.`,
    );
  }
  const lossWeights = Object.fromEntries(objectives.map((name) => [name, 1])) as Record<
    Name,
    number
  >;
  let before: readonly Losses[] | null = null;
  let restored = false;
  const callback: TrainerCallback<Name> = {
    name: 'g-blending',
    snapshot: () => ({ before: before as Json, lossWeights: { ...lossWeights } }),
    restore: (state) => {
      const saved = state as unknown as {
        readonly before: readonly Losses[] | null;
        readonly lossWeights: Readonly<Record<Name, number>>;
      };
      ({ before } = saved);
      Object.assign(lossWeights, saved.lossWeights);
      restored = true;
    },
    onTrainBegin: () => {
      // `restore` is called before `onTrainBegin`.
      if (!restored) before = null;
      restored = false;
    },
    onEpochEnd: (epoch, logs) => {
      if (before !== null && (epoch + 1) % every !== 0) return;
      const now = objectives.map((name) => lossesOf(name, logs));
      const estimate = before === null ? null : blend(before, now);
      before = now;
      if (estimate === null) return;
      Object.assign(
        lossWeights,
        Object.fromEntries(objectives.map((name, k) => [name, estimate[k]!])),
      );
    },
  };
  return { lossWeights, callback };
}

interface Losses {
  readonly training: number;
  readonly validation: number;
}

/** Weights of mean 1, or null if nothing generalised. */
function blend(before: readonly Losses[], now: readonly Losses[]): number[] | null {
  const ratios = now.map(({ training, validation }, k) => {
    const was = before[k]!;
    const generalisation = Math.max(0, was.validation - validation);
    const overfitting = Math.abs(validation - training - (was.validation - was.training));
    if (generalisation === 0) return 0;
    return generalisation / Math.max(overfitting, leastOverfitting * generalisation) ** 2;
  });
  const total = ratios.reduce((sum, ratio) => sum + ratio, 0);
  return total > 0 ? ratios.map((ratio) => (ratio / total) * ratios.length) : null;
}

function lossesOf(name: string, logs: Logs): Losses {
  const [training, validation] = [own(logs, `${name}_loss`), own(logs, `val_${name}_loss`)];
  if (Number.isFinite(training) && Number.isFinite(validation)) {
    return { training: training!, validation: validation! };
  }
  throw new MultigradError(
    'invalid-data',
    `\`gBlending\` needs the training and the validation loss of \`${name}\` at the end of each epoch: fit with ` +
      `\`validationData\`. Found ${training} and ${validation}.`,
  );
}
