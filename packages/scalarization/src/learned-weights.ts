import type { GradientStrategy, OptionsOf } from '@multigrad/core/strategy';
import { valuesOf, withValues } from './losses.ts';

/** State of strategies with one trained number per objective: that number, by objective. */
export type TrainedNumbers = Readonly<Record<string, number>>;

/** Descriptions of the options of strategies with one trained number per objective. */
export const learnedWeightsOptions = {
  /** Step size of the trained numbers' gradient descent, > 0. @defaultValue 0.001 */
  learningRate: {
    kind: 'number',
    default: 0.001,
    exclusiveMinimum: 0,
    description:
      'Step size with which the weights are trained, above 0: the larger, the faster they change.',
  },
} as const;

/** Options of strategies with one trained number per objective. */
export interface LearnedWeightsOptions extends OptionsOf<typeof learnedWeightsOptions> {}

/** Greatest magnitude of a trained number: beyond it the exponential would leave float32. */
const greatest = 60;

/**
 * A strategy with one trained number s per objective: the step's weights come from s as it is, then s takes a step of
 * gradient descent.
 */
export function learnedWeights(
  name: string,
  start: number,
  learningRate: number,
  weightOf: (s: number) => number,
  slopeOf: (s: number, loss: number) => number,
): GradientStrategy<TrainedNumbers> {
  return {
    specification: 1,
    name,
    needs: { gradients: 'none', losses: 'now' },
    init: () => ({}),
    integrate({ objectives, losses }, state) {
      const numbers = valuesOf(state, objectives, start);
      const next = numbers.map((s, k) => {
        const moved = s - learningRate * slopeOf(s, losses[k]!);
        return Math.max(-greatest, Math.min(greatest, moved));
      });
      return { weights: numbers.map(weightOf), state: withValues(state, objectives, next) };
    },
  };
}
