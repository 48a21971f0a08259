import {
  type GradientStrategy,
  type OptionsOf,
  preferencesOf,
  dualConeProjection,
  isZeroCombination,
  resolveOptions,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link upgrad}. */
export const upgradOptions = {
  /**
   * Preference of each objective by name, finite and >= 0; objectives that are not named have 1/K. Null prefers none.
   *
   * @defaultValue null
   */
  preference: {
    kind: 'weights',
    preference: 'counts',
    description:
      'Factor of the projected gradient of each objective by name, a finite number >= 0; objectives that are not named have 1/K.',
  },
} as const;

/** Options of {@link upgrad}. */
export interface UpgradOptions extends OptionsOf<typeof upgradOptions> {}

/**
 * UPGrad, unconflicting projection of gradients: every gradient is projected onto the dual cone of all of them, and the
 * projections are added up.
 *
 * `w = Σ_i p_i proj(e_i)` with `proj(u) = argmin vᵀ G v` over `v >= u`, exactly. No objective rises:
 * `⟨u, g_k⟩ >= 0` for every k within rounding, `−2 √(K e) |u| |g_k|` with `e = relativeError + K · 2⁻⁵⁰` of the Gramian.
 * The update is no longer than `Σ_i p_i |g_i|`. The influence of each gradient grows with its length: scaling
 * gradient i by a positive factor scales its own projection alone. With the preference 1/K gradients without conflict have their
 * mean; for two objectives the update is 1/K of PCGrad's.
 *
 * One objective keeps its plain gradient. Zero gradients change nothing for the others. Where every projection is zero
 * within the Gramian's error, as it is for opposite gradients, all weights are 0 and the note is `stationary`.
 * Multiplying all gradients by a factor multiplies the update by it.
 *
 * @remarks
 * The paper's implementation adds a small multiple of the identity to the Gramian; here the projection is exact.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { upgrad } from '@multigrad/strategy-upgrad';
 *
 * const { update } = integrateMatrix(upgrad(), [
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ]);
 * console.log(update.map((value) => Number(value.toFixed(4)))); // Float64Array(3) [ 0.2924, 1.9006, 1.9006 ]
 * ```
 *
 * @see P. Quinton, V. Rey, "Jacobian Descent for Multi-Objective Optimization", 2024, section 3.
 * https://arxiv.org/abs/2406.16232
 */
export function upgrad(options: UpgradOptions = {}): GradientStrategy<null> {
  const { preference } = resolveOptions<UpgradOptions>('upgrad', upgradOptions, options);
  return {
    specification: 1,
    name: 'upgrad',
    needs: { gradients: 'gramian' },
    init: () => null,
    integrate({ objectives, gramian }, state) {
      const { size } = gramian;
      const weights = new Float64Array(size);
      const preferred = preferencesOf(objectives, preference, 1 / size);
      const project = dualConeProjection(gramian);
      const unit = new Float64Array(size);
      for (let i = 0; i < size; i++) {
        if (preferred[i] === 0) continue;
        unit.fill(0);
        unit[i] = 1;
        const projected = project(unit);
        for (let k = 0; k < size; k++) weights[k]! += preferred[i]! * projected[k]!;
      }
      // A zero update that follows from preferences of zero says nothing about the gradients.
      const stationary =
        isZeroCombination(gramian, weights) && !isZeroCombination(gramian, preferred);
      return stationary ? { weights, state, note: 'stationary' } : { weights, state };
    },
  };
}
