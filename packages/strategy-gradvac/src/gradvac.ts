import {
  type GradientStrategy,
  type OptionsOf,
  type RandomState,
  randomState,
  resolveOptions,
  resumeRandom,
} from '@multigrad/core/strategy';
import { type CosineTargets, vaccinate } from './vaccinate.ts';

/** State of {@link gradvac} for a parameter group. */
export type GradvacState = {
  /** Generator of the random order of the corrections. */
  readonly random: RandomState;
  /** The target cosine of the first objective's gradient with the second's; pairs that are not listed have 0. */
  readonly targets: readonly (readonly [string, string, number])[];
};

/** Descriptions of the options of {@link gradvac}. */
export const gradvacOptions = {
  /**
   * Weight of a new cosine in its running average, 0 … 1; with 0 all targets stay 0.
   *
   * @defaultValue 0.5
   */
  beta: {
    kind: 'number',
    default: 0.5,
    minimum: 0,
    maximum: 1,
    description:
      'Weight of a new cosine in its running average, 0 to 1: 1 takes the newest cosine as the target, 0 leaves all targets at 0.',
  },
  /**
   * Seed of the random order of the corrections, any integer that a double holds exactly.
   *
   * @defaultValue 0
   */
  seed: {
    kind: 'number',
    default: 0,
    integer: true,
    description:
      'Seed of the random order of the corrections, any integer; two objectives need no order.',
  },
} as const;

/** Options of {@link gradvac}. */
export interface GradvacOptions extends OptionsOf<typeof gradvacOptions> {}

/**
 * GradVac, gradient vaccine: every gradient is turned towards the others until its cosine with each is at least the
 * running average of that cosine, then all are added up.
 *
 * For each objective i, starting at `v = g_i`: for every other objective j in random order, `r = cos(v, g_j)`; where r
 * is below the target `t_ij`, `v ← v + g_j |v| (t √(1 − r²) − r √(1 − t²)) / (|g_j| √(1 − t²))`, after which the cosine
 * is t. Then `t_ij ← (1 − β) t_ij + β r`, from 0. All is done on coefficients: `O(K³)`, whatever the number of
 * parameters. The weights are the sum of the K vectors of coefficients, so the update has the size of K gradients.
 *
 * At the first step, and with β = 0 at all of them, it is PCGrad. The update may conflict with an objective. One
 * objective keeps its plain gradient. Multiplying all gradients by a factor multiplies the update by it, and scaling
 * one gradient leaves the targets as they are.
 *
 * A gradient that is exactly zero has no cosine: it takes no part and its targets stay. The same holds for a v that the
 * corrections made zero within the Gramian's error (of opposite gradients); it gets no further corrections.
 *
 * @remarks
 * A target above 1 − 10⁻⁶ counts as that: no finite multiple of `g_j` reaches the cosine 1. The paper has β = 0.01;
 * the default here is that of the widely used implementations. Targets belong to ordered pairs, as in those. The order
 * comes from a generator in the state, seeded by `seed` and the group's key, so that a resumed run repeats what an
 * uninterrupted one does. Nothing is drawn for K <= 2.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { gradvac } from '@multigrad/strategy-gradvac';
 *
 * const jacobian = [
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ];
 * const strategy = gradvac({ beta: 0.1 });
 * const { weights, state } = integrateMatrix(strategy, jacobian);
 * console.log(weights.map((weight) => Number(weight.toFixed(4)))); // Float64Array(2) [ 2.2222, 1.5789 ]
 * const next = integrateMatrix(strategy, jacobian, { state });
 * console.log(next.weights[0]! < weights[0]!); // true: some conflict is what is expected now
 * ```
 *
 * @see Z. Wang, Y. Tsvetkov, O. Firat, Y. Cao, "Gradient Vaccine: Investigating and Improving Multi-task Optimization in
 * Massively Multilingual Models", ICLR 2021, Algorithm 1. https://arxiv.org/abs/2010.05874
 */
export function gradvac(options: GradvacOptions = {}): GradientStrategy<GradvacState> {
  const { beta, seed } = resolveOptions<GradvacOptions>('gradvac', gradvacOptions, options);
  return {
    specification: 1,
    name: 'gradvac',
    needs: { gradients: 'gramian' },
    init: ({ key, stream = key }) => ({
      random: randomState(seed, 'gradvac', stream),
      targets: [],
    }),
    integrate({ objectives, gramian }, state) {
      const { size } = gramian;
      const pairs = new Map(state.targets.map((entry) => [pairKey(entry[0], entry[1]), entry]));
      const targets: CosineTargets = {
        get: (i, j) => pairs.get(pairKey(objectives[i]!, objectives[j]!))?.[2] ?? 0,
        observe(i, j, found) {
          const [a, b] = [objectives[i]!, objectives[j]!];
          pairs.set(pairKey(a, b), [a, b, (1 - beta) * targets.get(i, j) + beta * found]);
        },
      };
      if (size <= 2) {
        // With at most one other objective there is one order: nothing is drawn.
        const weights = vaccinate(gramian, targets, () => [0, 1].slice(0, size));
        return { weights, state: { random: state.random, targets: [...pairs.values()] } };
      }
      const random = resumeRandom(state.random);
      const weights = vaccinate(gramian, targets, () => random.permutation(size));
      return { weights, state: { random: random.state(), targets: [...pairs.values()] } };
    },
  };
}

/** A key for a pair of names; different pairs have different keys, whatever characters the names have. */
function pairKey(a: string, b: string): string {
  return JSON.stringify([a, b]);
}
