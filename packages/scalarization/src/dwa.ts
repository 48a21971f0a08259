import {
  type GradientStrategy,
  type OptionsOf,
  own,
  resolveOptions,
} from '@multigrad/core/strategy';
import { assertPositive, softmax, withValues } from './losses.ts';

/** Descriptions of the options of {@link dwa}. */
export const dwaOptions = {
  /** Temperature T, > 0: the larger, the closer the weights are to each other. @defaultValue 2 */
  temperature: {
    kind: 'number',
    default: 2,
    exclusiveMinimum: 0,
    description: 'Temperature, above 0: the larger, the closer the weights are to each other.',
  },
} as const;

/** Options of {@link dwa}. */
export interface DwaOptions extends OptionsOf<typeof dwaOptions> {}

/** State of {@link dwa}: each objective's mean losses of its last epoch and the one before, newest first. */
export type DwaState = Readonly<Record<string, readonly number[]>>;

/**
 * DWA, dynamic weight average: a loss that falls slowly from epoch to epoch weighs more.
 *
 * `w = K softmax(r / T)` with `r_k` the mean loss of the last epoch over that of the one before; 1 each until every
 * objective present has seen two epochs. The weights sum to K. Losses must be > 0 at the end of an epoch.
 *
 * @throws MultigradError `invalid-option` for options that do not fit; `onEpochEnd` throws `invalid-objective` for a loss
 *   <= 0
 *
 * @example
 * ```ts
 * import { dwa } from '@multigrad/scalarization';
 *
 * const strategy = dwa();
 * let state = strategy.init({ key: 'run', objectives: ['a', 'b'], tensors: [] });
 * state = strategy.onEpochEnd!(Float64Array.of(2, 2), ['a', 'b'], state);
 * state = strategy.onEpochEnd!(Float64Array.of(1, 2), ['a', 'b'], state);
 * console.log(state); // { a: [ 1, 2 ], b: [ 2, 2 ] }: b weighs more in the next epoch
 * ```
 *
 * @see S. Liu, E. Johns, A. Davison, "End-to-End Multi-Task Learning with Attention", CVPR 2019, equation 7.
 * https://arxiv.org/abs/1803.10704
 */
export function dwa(options: DwaOptions = {}): GradientStrategy<DwaState> {
  const { temperature } = resolveOptions<DwaOptions>('dwa', dwaOptions, options);
  return {
    specification: 1,
    name: 'dwa',
    needs: { gradients: 'none', losses: 'epoch-means' },
    init: () => ({}),
    integrate({ objectives }, state) {
      const history = objectives.map((name) => own(state, name) ?? []);
      if (history.some((losses) => losses.length < 2)) {
        return { weights: new Float64Array(objectives.length).fill(1), state };
      }
      const rates = Float64Array.from(history, ([last, before]) => last! / before! / temperature);
      return { weights: softmax(rates).map((share) => share * objectives.length), state };
    },
    onEpochEnd(losses, objectives, state) {
      assertPositive(losses, objectives, 'dwa', 'divides by it');
      const next = objectives.map((name, k) => {
        const last = (own(state, name) ?? []).slice(0, 1);
        return [losses[k]!, ...last];
      });
      return withValues(state, objectives, next);
    },
  };
}
