import { type GradientStrategy, resolveOptions } from '@multigrad/core/strategy';
import { type MmparetoOptions, mmparetoOptions } from './options.ts';
import { rescaleGroup } from './rescale-group.ts';
import { rescaleTensors } from './rescale-tensor.ts';

/**
 * MMPareto: the sum of the gradients where they agree, a common descent direction where they conflict; the update has
 * the length of the sum, times gamma.
 *
 * In the paper's setting a group is one modality's encoder, with the gradients of the multimodal loss and of the
 * modality's own loss; any group of K objectives works.
 *
 * 1. No pair with a negative cosine: `h = s = Σ_k g_k`.
 * 2. Otherwise `h = K Σ_k a_k g_k` with `a = argmin |Σ_k a_k g_k|²` over `a_k >= 0, Σ_k a_k = 1`.
 * 3. `u = γ λ h` with `λ = |s| / |h|`, so `|u| = γ |s|`; λ >= 1 always, and 1 in the first case. Rounding bounds λ: see below.
 *
 * With `rescale: 'group'` the update is a positive multiple of h, so it is a common descent direction:
 * `⟨u, g_k⟩ >= −ε |u| |g_k|` for every k, where ε is the square root of the Gramian's relative error, which counts as
 * K · 2⁻⁵⁰ where it is stated smaller. That is 4.9e-4 for float32 gradients of error 2⁻²² and 4.2e-8 for K = 2 in
 * float64: half of it for the error of the inner products, half for rounding in the update. The update's order is that
 * of the sum: K gradients. Multiplying all gradients by a factor multiplies the update by it.
 *
 * Where the shortest combination is zero within the Gramian's error, no common descent direction exists and λ is
 * undefined: the group is Pareto stationary, all weights are 0, the note is `stationary`. In a conflict the note is
 * `conflict`. The diagnostics hold `lambda`.
 *
 * A gradient that vanishes but for rounding, such as that of a loss which does not depend on an encoder, may conflict too; the
 * shortest combination is then rounding alone, and λ may reach 1e13. So in λ the length |h| counts as at least
 * `2 √e K max_k |g_k|`, with e the Gramian's relative error plus K · 2⁻⁵⁰, at most 2⁻²²: that is the rule for stationary
 * groups, with every gradient as long as the longest. λ stays below `1 / (2 √e)`, 1024 for float32 gradients on every
 * backend; the update is shorter than γ |s| and keeps its direction. The note is then `noise`, and the diagnostics have
 * `ratio`, what `|s| / |h|` was.
 *
 * With `rescale: 'tensor'` each tensor t is rescaled apart, `u_t = γ max(1, |s_t| / |h_t|) h_t`, as the official code
 * does. **This may raise a loss**: with two tensors of one number each, `(−2, −1)` and `(1, 0)` give `(1.5, −1.5)`,
 * whose inner product with the first is −1.5.
 *
 * @remarks
 * The paper treats K = 2. Three or more objectives are an extension: one pair in conflict is enough for step 2, and the
 * factor K gives the convex combination the size of the sum.
 *
 * One objective is weighted gamma, as every group without a conflict.
 *
 * A gradient that is exactly zero takes no part: any update has the inner product 0 with it. K in step 2 counts the
 * others. The paper's and the code's update with one of two gradients zero is γ times the other, as here.
 *
 * `rescale: 'tensor'` keeps these details of the official code: gradients are in conflict unless their cosine is > 0
 * (the paper: >= 0), and `max(1, ·)`. It differs in these: where `h_t` is zero within the Gramian's error the factor is
 * 1, so the update is `γ h_t`, zero (the code divides by zero); a stationary group gets no update (the code blows up
 * what rounding left). The code's solver can return the weights .999 and .001, but only where one gradient is exactly
 * zero, because it is asked only when the cosine is <= 0; its update is then the one here.
 *
 * The bound of λ by rounding is an addition to the paper, in both modes; in the second each tensor's factor is bounded by the
 * tensor's own gradients. `maxRescale` is another one: it caps λ, or the factor of each tensor.
 *
 * Optimizers that divide by gradient sizes, such as Adam, cancel gamma and damp λ; the paper uses SGD with momentum.
 *
 * @throws MultigradError `invalid-option` for options that do not fit
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { mmpareto } from '@multigrad/strategy-mmpareto';
 *
 * // Two tensors of one number each; the second row is the modality's own loss.
 * const { update, note } = integrateMatrix(mmpareto({ gamma: 1 }), [
 *   [-2, -1],
 *   [1, 0],
 * ]);
 * console.log(update.map((value) => Number(value.toFixed(4))), note); // … [ 0.4472, -1.3416 ] conflict
 * ```
 *
 * @see Y. Wei, D. Hu, "MMPareto: Boosting Multimodal Learning with Innocent Unimodal Assistance", ICML 2024,
 * Algorithm 1. https://arxiv.org/abs/2405.17730
 */
export function mmpareto(options: MmparetoOptions = {}): GradientStrategy<null> {
  const { gamma, rescale, maxRescale } = resolveOptions<MmparetoOptions>(
    'mmpareto',
    mmparetoOptions,
    options,
  );
  const integrate = rescale === 'group' ? rescaleGroup : rescaleTensors;
  return {
    specification: 1,
    name: 'mmpareto',
    needs: { gradients: rescale === 'group' ? 'gramian' : 'tensor-gramians' },
    init: () => null,
    integrate: (gradients) => integrate(gradients, gamma, maxRescale ?? Infinity),
  };
}
