import { type OptionsOf, own, resolveOptions } from '@multigrad/core/strategy';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { Branch } from '../layers/branch.ts';
import { exchangedTrunks } from './exchanged-trunks.ts';
import type { SharedBody, SharingSetting } from './shared-body.ts';

/** Descriptions of the options of learning to branch that have a default. */
const ltbOptions = {
  /** Steps at the start in which every stage takes the sum of all trunks, an integer >= 0. @defaultValue 0 */
  warmup: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Steps at the start in which every stage takes the sum of all trunks, 0 or more.',
  },
  /** Temperature τ of the first step, > 0: the lower, the sharper the gradient. @defaultValue 5 */
  temperature: {
    kind: 'number',
    default: 5,
    exclusiveMinimum: 0,
    description: 'Temperature of the first step, above 0: the lower, the sharper the gradient.',
  },
  /** Steps t₀ with which the temperature falls, as `τ / √(1 + t / t₀)`, > 0. @defaultValue 100 */
  decay: {
    kind: 'number',
    default: 100,
    exclusiveMinimum: 0,
    description: 'How slowly the temperature falls, in steps, above 0.',
  },
} as const;

/** Options of learning to branch. */
export interface LtbOptions extends OptionsOf<typeof ltbOptions> {
  /** The stages behind which each task's trunk chooses the trunk that it goes on from, by name, one or more. */
  readonly after: readonly string[];
}

/**
 * Learning to branch: a trunk for each task; behind some stages each chooses one trunk whose features it goes on from,
 * `x̃_t = Σ_j α_tj x_j` with α drawn by Gumbel-softmax, one-hot forward and soft backward. What tasks choose is the tree.
 *
 * In inference every choice is the most probable one. The noise is a function of seed and step, so a resumed run draws what
 * an uninterrupted one does.
 *
 * @remarks
 * LibMTL counts the schedule in epochs, here it is in steps; there inference draws noise too. With the same noise it computes the
 * same, which `tests/peers` checks.
 *
 * @see Guo, Lee and Ulbricht, "Learning to Branch for Multi-Task Learning", ICML 2020 (https://arxiv.org/abs/2006.01895)
 */
export function ltb(setting: SharingSetting, { after, ...given }: LtbOptions): SharedBody {
  const options = resolveOptions('ltb', ltbOptions, given);
  const { tasks, seed } = setting;
  return exchangedTrunks(setting, after, 'branch', (streams, make) =>
    tasks.map((task): [string, SymbolicTensor] => {
      const branch = new Branch({ name: make.name(task), seed, ...options });
      const others = tasks.filter((other) => other !== task);
      const inputs = [task, ...others].map((from) => own(streams, from)!);
      return [task, branch.apply(inputs) as SymbolicTensor];
    }),
  );
}
