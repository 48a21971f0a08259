import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { CrossStitch } from '../layers/cross-stitch.ts';
import { exchangedTrunks } from './exchanged-trunks.ts';
import type { SharedBody, SharingSetting } from './shared-body.ts';

/** Descriptions of the options of sharing by cross-stitch units that have a default. */
const crossStitchOptions = {
  /** Share that each task takes from the others at the start, 0 to 1. @defaultValue 0.1 */
  share: {
    kind: 'number',
    default: 0.1,
    minimum: 0,
    maximum: 1,
    description: 'What each task takes of the others at the start, 0 to 1.',
  },
} as const;

/** Options of sharing by cross-stitch units. */
export interface CrossStitchOptions extends OptionsOf<typeof crossStitchOptions> {
  /** The stages behind which units stand, by name, one or more. */
  readonly after: readonly string[];
}

/**
 * Cross-stitch networks: a trunk for each task; behind some stages `x̃_k = Σ_j α_kj ⊙ x_j`, with a learned factor for each
 * pair of tasks and each channel, `α_kk = 1 − share` and `α_kj = share/(T − 1)` at the start.
 *
 * @see Misra, Shrivastava, Gupta and Hebert, "Cross-stitch Networks for Multi-task Learning", CVPR 2016
 * (https://arxiv.org/abs/1604.03539), equation 1
 */
export function crossStitch(setting: SharingSetting, given: CrossStitchOptions): SharedBody {
  const { after, ...rest } = given;
  const { share } = resolveOptions('crossStitch', crossStitchOptions, rest);
  const tasks = setting.tasks.map((name) => ({ name }));
  return exchangedTrunks(setting, after, 'are cross-stitched', (streams, make) => {
    const all = Object.values(streams);
    return Object.keys(streams).map((name): [string, SymbolicTensor] => {
      const own = { name };
      const unit = new CrossStitch({ name: make.name(name), streams: tasks, own, share });
      return [name, unit.apply(all) as SymbolicTensor];
    });
  });
}
