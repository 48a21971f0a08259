import {
  type OptionsOf,
  randomState,
  resolveOptions,
  resumeRandom,
} from '@multigrad/core/strategy';
import type { Draw } from '../contract/data.ts';
import type { BalancingMethod, EpochStart } from '../contract/method.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { entry, record } from '../support/by-name.ts';
import { presentObjectives } from '../support/present-objectives.ts';
import { sampleContributions } from '../support/sample-contributions.ts';

const sampleValuationOptions = {
  /** Whether samples are drawn again one by one, or some of them for the modality that does less. @defaultValue 'sample' */
  level: {
    kind: 'choice',
    choices: ['sample', 'modality'],
    default: 'sample',
    description:
      'Whether samples are drawn again one by one, or some of them for the modality that does less.',
  },
  /** Epochs before it begins, an integer >= 1. @defaultValue 5 */
  warmUp: {
    kind: 'number',
    default: 5,
    minimum: 1,
    integer: true,
    description: 'Epochs before it begins, an integer >= 1.',
  },
  /** At level `modality`, the share of the samples that are valued, above 0 to 1. @defaultValue 0.2 */
  share: {
    kind: 'number',
    default: 0.2,
    exclusiveMinimum: 0,
    maximum: 1,
    description: 'At level `modality`, the share of the samples that are valued, above 0 to 1.',
  },
  /** At level `modality`, how many more samples a gap of contributions draws, >= 0. @defaultValue 1 */
  alpha: {
    kind: 'number',
    default: 1,
    minimum: 0,
    description: 'At level `modality`, how many more samples a gap of contributions draws, >= 0.',
  },
  /** Seed of the order of samples and of what is drawn at level `modality`, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description:
      'Seed of the order of samples and of what is drawn at level `modality`, an integer >= 0.',
  },
} as const;

/** Options of {@link sampleValuation}. */
export interface SampleValuationOptions extends OptionsOf<typeof sampleValuationOptions> {}

/** The state of {@link sampleValuation}. */
export type SampleValuationState = {
  /** By modality how often each sample is drawn again with this modality alone, one digit for each; null in the warm-up. */
  readonly again: Readonly<Record<string, string>> | null;
  /** By modality the mean contribution of the valued samples. */
  readonly contributions: Readonly<Record<string, number>>;
};

/**
 * Sample-level modality valuation: samples are drawn again with one modality alone, for the modality that contributes little
 * to their prediction.
 *
 * A modality's contribution φ to a sample is its Shapley value, where a set S of modalities is worth |S| if the joint
 * prediction from their features alone is right, else 0. Before each epoch from `warmUp` on, contributions are found with the
 * network as it is. At level `sample` each sample is drawn once whole, and for each modality again with that one alone: never
 * where φ >= 1, once for 0.4 < φ < 1, twice for −0.1 < φ <= 0.4, else three times. At level `modality`, for two modalities,
 * with mean contributions Φ over a `share` of the samples, `min(1, 2/3 α |Φ_1 − Φ_2|) n` samples are drawn again with the
 * modality of less contribution alone.
 *
 * Whole samples and those drawn again come in one order of the seed, new in each epoch. Of a modality that a sample is drawn
 * without, the features are zero. An objective of one modality is measured over the
 * samples that have it.
 *
 * @throws MultigradError `invalid-option`
 *
 * @example
 * ```ts
 * import { balanced, sampleValuation } from '@multigrad/balancing';
 * import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const size = { shape: [3], hidden: [4], features: 4 };
 * const encoders = {
 *   a: multilayerPerceptron({ name: 'a', ...size }),
 *   b: multilayerPerceptron({ name: 'b', ...size }),
 * };
 * const network = multimodalNetwork({ encoders, classes: 2 });
 * try {
 *   balanced(sampleValuation({ level: 'modality' }), network);
 * } catch (error) {
 *   console.log(String(error)); // … it reads training data outside of steps …
 * }
 * ```
 *
 * @see Wei, Feng, Wang and Hu, "Enhancing Multimodal Cooperation via Sample-level Modality Valuation", CVPR 2024
 * (https://arxiv.org/abs/2309.06255)
 */
export function sampleValuation(
  options: SampleValuationOptions = {},
): BalancingMethod<SampleValuationState> {
  const { level, warmUp, share, alpha, seed } = resolveOptions(
    'sample-valuation',
    sampleValuationOptions,
    options,
  );
  return {
    specification: 1,
    name: 'sample-valuation',
    needs: { data: 'samples' },
    firstEpoch: warmUp,
    unsupported: ({ modalities }) =>
      level === 'sample' || modalities.length === 2
        ? null
        : `its level \`modality\` compares two modalities. Found ${modalities.join(', ')}`,
    init: () => ({ again: null, contributions: {} }),
    beforeEpoch: async (start, state) => {
      if (start.epoch < warmUp) return state;
      const values = await contributionsOf(start, level === 'sample' ? 1 : share);
      const contributions = Object.fromEntries(
        Object.entries(values).map(([modality, own]) => [modality, meanOf([...own.values()])]),
      );
      const count = start.data!.count!;
      const again =
        level === 'sample'
          ? Object.fromEntries(
              Object.entries(values).map(([modality, own]) => [modality, digitsOf(own, count)]),
            )
          : drawnForOne(
              contributions,
              count,
              alpha,
              resumeRandom(randomState(seed, 'sample-valuation', start.epoch)),
            );
      return { again, contributions };
    },
    draw: (epoch, count, { again }) => (again === null ? null : drawOf(again, count, seed, epoch)),
    objectives: (pass) => ({ objectives: presentObjectives(pass) }),
  };
}

/** The plugin of {@link sampleValuation}. */
export const plugin: BalancingPlugin<SampleValuationOptions> = defineBalancing({
  specification: 1,
  name: 'sample-valuation',
  title: 'Sample-level valuation',
  summary:
    'Draws samples again with the modality alone that contributes little to their prediction, by Shapley values.',
  paper: {
    title: 'Enhancing Multimodal Cooperation via Sample-level Modality Valuation',
    authors: ['Yake Wei', 'Ruoxuan Feng', 'Zihe Wang', 'Di Hu'],
    venue: 'CVPR',
    year: 2024,
    url: 'https://arxiv.org/abs/2309.06255',
  },
  formula:
    'φ_m = Σ_{S ∌ m} |S|! (M − |S| − 1)! / M! (v(S ∪ m) − v(S)), v(S) = |S| if S predicts the class, else 0; a sample is drawn 0 to 3 times more with m alone, the more often the smaller φ_m',
  use: 'When which modality is weak differs from sample to sample.',
  serves:
    'two or more modalities, two at level `modality`; any fusion; data that it knows by samples',
  deviations: [
    "How often a sample is drawn again is that of the authors' code.",
    'At level `modality` the valued samples are drawn without repetition, and no more are drawn again than there are.',
    "An objective of one modality is measured over the samples that have it; the paper's setting is the joint objective alone.",
  ],
  options: sampleValuationOptions,
  create: sampleValuation,
});

/** By modality the contributions of the valued samples that have a label, by position. */
async function contributionsOf(
  { network, data }: EpochStart,
  share: number,
): Promise<Record<string, Map<number, number>>> {
  const found = record(network.modalities, () => new Map<number, number>());
  for await (const batch of data!.batches(share)) {
    const values = await sampleContributions(network, batch);
    for (const modality of network.modalities) {
      entry(values, modality).forEach((value, i) => {
        if (!Number.isNaN(value)) entry(found, modality).set(batch.positions![i]!, value);
      });
    }
  }
  return found;
}

/** How often each sample is drawn again, one digit for each; 0 for one without a label. */
function digitsOf(values: ReadonlyMap<number, number>, count: number): string {
  return Array.from({ length: count }, (_, i) => timesAgain(values.get(i) ?? 1)).join('');
}

function timesAgain(contribution: number): 0 | 1 | 2 | 3 {
  // Contributions are fractions, and 1 may come out just below.
  if (contribution > 1 - 1e-9) return 0;
  if (contribution > 0.4) return 1;
  return contribution > -0.1 ? 2 : 3;
}

/** Draws samples again for the modality of less contribution, as digits. */
function drawnForOne(
  contributions: Readonly<Record<string, number>>,
  count: number,
  alpha: number,
  random: ReturnType<typeof resumeRandom>,
): Record<string, string> {
  const [first, second] = Object.entries(contributions) as [[string, number], [string, number]];
  const gap = Math.abs(first[1] - second[1]);
  const drawn = Math.floor(Math.min(1, (2 / 3) * alpha * gap) * count);
  const chosen = new Set(random.permutation(count).slice(0, drawn));
  const digits = Array.from({ length: count }, (_, i) => +chosen.has(i)).join('');
  const none = '0'.repeat(count);
  const weaker = first[1] < second[1] ? first[0] : second[0];
  return Object.fromEntries(
    [first, second].map(([name]) => [name, name === weaker ? digits : none]),
  );
}

/** Each sample whole, and those that are drawn again, each with one modality, in an order of the seed and the epoch. */
function drawOf(
  again: Readonly<Record<string, string>>,
  count: number,
  seed: number,
  epoch: number,
): Draw {
  const drawn: { position: number; only: string | null }[] = Array.from(
    { length: count },
    (_, position) => ({ position, only: null }),
  );
  for (const [modality, digits] of Object.entries(again)) {
    Array.from(digits, Number).forEach((times, i) => {
      for (let copy = 0; copy < times; copy++) drawn.push({ position: i, only: modality });
    });
  }
  const random = resumeRandom(randomState(seed, 'sample-valuation order', epoch));
  const order = Array.from(random.permutation(drawn.length), (i) => drawn[i]!);
  const masks = record(Object.keys(again), (modality) =>
    Uint8Array.from(order, ({ only }) => +(only === null || only === modality)),
  );
  return {
    positions: Int32Array.from(order, ({ position }) => position),
    masks,
    masked: 'features',
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
