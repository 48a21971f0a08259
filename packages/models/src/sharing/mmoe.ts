import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { expertsOf, gatedMixture } from './gate.ts';
import type { SharedBody, SharingSetting } from './shared-body.ts';

/** Descriptions of the options of sharing by a multi-gate mixture of experts. */
const mmoeOptions = {
  /** Number of experts, an integer >= 2. @defaultValue 4 */
  experts: {
    kind: 'number',
    default: 4,
    minimum: 2,
    integer: true,
    description: 'Number of experts, an integer >= 2.',
  },
} as const;

/** Options of sharing by a multi-gate mixture of experts. */
export interface MmoeOptions extends OptionsOf<typeof mmoeOptions> {}

/**
 * The multi-gate mixture of experts: trunks f_1 … f_E as experts, and for each task a gate on the flattened input,
 * `z_k = Σ_e g_ke f_e(x)`, `g_k = softmax(W_k x + b_k)`.
 *
 * @see Ma, Zhao, Yi, Chen, Hong and Chi, "Modeling Task Relationships in Multi-task Learning with Multi-gate
 * Mixture-of-Experts", KDD 2018, equations 5 to 7
 */
export function mmoe(setting: SharingSetting, options: MmoeOptions): SharedBody {
  const { experts: count } = resolveOptions('mmoe', mmoeOptions, options);
  const experts = expertsOf('mmoe', setting, count);
  return (input) => {
    const { make, vectors, x } = experts(input);
    const mixed = setting.tasks.map((task): [string, SymbolicTensor] => [
      task,
      gatedMixture(make, task, x, vectors),
    ]);
    return { features: Object.fromEntries(mixed) };
  };
}
