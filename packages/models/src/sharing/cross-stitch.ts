import { MultigradError, type OptionSpecs, resolveOptions } from '@multigrad/core/strategy';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { connectStreams } from '../exchanges/connect-streams.ts';
import type { Exchange } from '../exchanges/exchange.ts';
import { CrossStitch } from '../layers/cross-stitch.ts';
import { GlobalAverage } from '../layers/global-average.ts';
import type { SharedBody, SharingSetting } from './shared-body.ts';

/** Options of sharing by cross-stitch units. */
export interface CrossStitchOptions {
  /** The stages behind which units stand, by name, one or more. */
  readonly after: readonly string[];
  /**
   * What each task takes of the others at the start, 0 to 1.
   *
   * @defaultValue 0.1
   */
  readonly share?: number;
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
  const { share } = resolveOptions('crossStitch', specs, rest);
  const { tasks, trunk, seed, initialisation } = setting;
  const encoders = Object.fromEntries(tasks.map((task) => [task, trunk(task)]));
  const exchange: Exchange = (streams, make) => {
    const entries = Object.entries(streams);
    const [[, first]] = entries as [[string, SymbolicTensor]];
    const odd = entries.find(([, x]) => String(x.shape) !== String(first.shape));
    if (odd !== undefined) {
      throw new MultigradError(
        'invalid-option',
        `Trunks that are cross-stitched should have stages of the same shape. Found [${first.shape.slice(1).join(', ')}] and ` +
          `[${odd[1].shape.slice(1).join(', ')}].`,
      );
    }
    const all = entries.map(([, x]) => x);
    const stitched = entries.map(([own]): [string, SymbolicTensor] => {
      const unit = new CrossStitch({ name: make.name(own), streams: [...tasks], own, share });
      return [own, unit.apply(all) as SymbolicTensor];
    });
    return Object.fromEntries(stitched);
  };
  return (input) => {
    const inputs = Object.fromEntries(tasks.map((task) => [task, input]));
    const owner = 'sharing';
    const connection = { owner, encoders, exchange, after, seed, initialisation };
    const features = Object.entries(connectStreams(inputs, connection)).map(
      ([task, x]): [string, SymbolicTensor] => [
        task,
        x.shape.length === 2
          ? x
          : (new GlobalAverage({ name: `pool/${task}` }).apply(x) as SymbolicTensor),
      ],
    );
    return Object.fromEntries(features);
  };
}

const specs: OptionSpecs<Omit<CrossStitchOptions, 'after'>> = {
  share: {
    kind: 'number',
    default: 0.1,
    minimum: 0,
    maximum: 1,
    description: 'What each task takes of the others at the start, 0 to 1.',
  },
};
