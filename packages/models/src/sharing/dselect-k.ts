import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { initializers, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { ExpertSelection, SelectionPenalty, selectorDigits } from '../layers/expert-selection.ts';
import { Mixture } from '../layers/mixture.ts';
import { initializerSeed } from '../weights/initialisation.ts';
import { expertsOf } from './gate.ts';
import type { SharedBody, SharingSetting } from './shared-body.ts';

/** Descriptions of the options of sharing by DSelect-k. */
const dselectKOptions = {
  /** Number of experts, an integer >= 2. @defaultValue 4 */
  experts: {
    kind: 'number',
    default: 4,
    minimum: 2,
    integer: true,
    description: 'Number of experts, an integer >= 2.',
  },
  /** Number k of experts that a task takes at most, an integer >= 1. @defaultValue 2 */
  selected: {
    kind: 'number',
    default: 2,
    minimum: 1,
    integer: true,
    description: 'Number of experts that a task takes at most, an integer >= 1.',
  },
  /** Width γ of the smooth step, > 0: the smaller, the sooner a choice is final. @defaultValue 1 */
  gamma: {
    kind: 'number',
    default: 1,
    exclusiveMinimum: 0,
    description: 'Width of the smooth step, above 0: the smaller, the sooner a choice is final.',
  },
  /** Factor λ of the entropies in the loss, >= 0: the larger, the sooner a choice is made. @defaultValue 1e-6 */
  entropy: {
    kind: 'number',
    default: 1e-6,
    minimum: 0,
    description:
      'Factor of the entropies in the loss, 0 or more: the larger, the sooner a choice is made.',
  },
} as const;

/** Options of sharing by DSelect-k. */
export interface DselectKOptions extends OptionsOf<typeof dselectKOptions> {}

/**
 * DSelect-k: experts as in the multi-gate mixture, and for each task a gate that selects at most k of them,
 * `z_t = Σ_e q_e f_e(x)`, `q = Σ_i softmax(V x + c)_i r_i`: k selectors, whose `r_i` go through smooth steps of logits
 * `W x + b` for each binary digit of an expert's number, and are one-hot once these saturate.
 *
 * In training a task's loss has the mean over the batch of `λ Σ_i H(r_i)` added, and where the number of experts is no power
 * of two of `Σ_i 1 / Σ_e r_ie`; the official code adds up over the batch. Logits start within ± γ/100.
 *
 * @remarks
 * LibMTL computes the same for γ = 1, which `tests/peers` checks: it keeps another γ and does not use it, and adds the
 * entropies of the last task alone.
 *
 * @see Hazimeh, Zhao, Chowdhery, Sathiamoorthy, Chen, Mazumder, Hong and Chi, "DSelect-k: Differentiable Selection in the
 * Mixture of Experts with Applications to Multi-Task Learning", NeurIPS 2021 (https://arxiv.org/abs/2106.03760)
 */
export function dselectK(setting: SharingSetting, options: DselectKOptions): SharedBody {
  const given = resolveOptions('dselectK', dselectKOptions, options);
  const { experts: count, selected, gamma, entropy } = given;
  const { tasks, seed } = setting;
  const experts = expertsOf('dselect-k', setting, count);
  return (input) => {
    const { make, vectors, x } = experts(input);
    const penalties = new Map<string, SymbolicTensor>();
    const gated = tasks.map((task): [string, SymbolicTensor] => {
      const linear = (layer: string, units: number, bound: number, activation?: 'softmax') => {
        const name = make.name(layer);
        const uniform = (weight: string) =>
          initializers.randomUniform({
            minval: -bound,
            maxval: bound,
            seed: initializerSeed(seed, `${name}/${weight}`),
          });
        const settings = { kernelInitializer: uniform('kernel'), biasInitializer: uniform('bias') };
        const dense = layers.dense({
          name,
          units,
          ...settings,
          ...(activation === undefined ? {} : { activation }),
        });
        return dense.apply(x) as SymbolicTensor;
      };
      const weights = linear(`${task}/weights`, selected, 0.05, 'softmax');
      const z = linear(`${task}/selectors`, selected * selectorDigits(count), gamma / 100);
      const config = { experts: count, gamma };
      const gate = new ExpertSelection({ name: make.name(task), ...config }).apply([weights, z]);
      const penalty = { name: make.name(`${task}/penalty`), ...config, weight: entropy };
      penalties.set(task, new SelectionPenalty(penalty).apply(z) as SymbolicTensor);
      const mixture = new Mixture({ name: make.name(`${task}/mixture`) });
      return [task, mixture.apply([gate as SymbolicTensor, ...vectors]) as SymbolicTensor];
    });
    return { features: Object.fromEntries(gated), penalties: Object.fromEntries(penalties) };
  };
}
