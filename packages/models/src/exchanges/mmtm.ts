import { type OptionsOf, resolveOptions } from '@multigrad/core/strategy';
import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { ChannelGate } from '../layers/channel-gate.ts';
import { GlobalAverage } from '../layers/global-average.ts';
import type { Exchange, StreamGate } from './exchange.ts';

/** Descriptions of the options of the exchange `mmtm`. */
const mmtmOptions = {
  /** Channels of all streams together, divided by the length of the joint vector, a number >= 1. @defaultValue 4 */
  ratio: {
    kind: 'number',
    default: 4,
    minimum: 1,
    description: 'How many times narrower than all channels together the joint vector is, >= 1.',
  },
} as const;

/** Options of the exchange `mmtm`. */
export interface MmtmOptions extends OptionsOf<typeof mmtmOptions> {}

/**
 * The multimodal transfer module: streams recalibrate each other's channels between their stages.
 *
 * Squeeze: `s_k` = mean of x_k over everything but its channels; `z = max(0, W [s_1; s_2; …] + b)` with a ratio-th of the
 * channels; excitation `e_k = W_k z + b_k`; `x̃_k = 2 σ(e_k) ⊙ x_k`. Streams may differ in size, rank and channels.
 *
 * @remarks
 * The ReLU after the squeeze is that of the authors' code, whose z is twice as wide.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @see Joze, Shaban, Iuzzolino and Koishida, "MMTM: Multimodal Transfer Module for CNN Fusion", CVPR 2020
 * (https://arxiv.org/abs/1911.08670), section 3.1
 */
export function mmtm(options: MmtmOptions = {}): Exchange {
  const { ratio } = resolveOptions('mmtm', mmtmOptions, options);
  const connect: Exchange['connect'] = (streams, make) => {
    const entries = Object.entries(streams);
    const squeezed = entries.map(([stream, x]) => {
      const average = new GlobalAverage({ name: make.name(`${stream}/average`) });
      return average.apply(x) as SymbolicTensor;
    });
    const joined = layers.concatenate({ name: make.name('concatenation') }).apply(squeezed);
    const channels = squeezed.reduce((sum, { shape }) => sum + shape[1]!, 0);
    const width = Math.max(1, Math.floor(channels / ratio));
    const shared = make.dense('squeeze', channels, width, 'relu');
    const z = shared.apply(joined);
    const gates = entries.map(([stream, x]): StreamGate => {
      const own = make.dense(`${stream}/excitation`, width, x.shape.at(-1)!);
      const excitation = own.apply(z) as SymbolicTensor;
      return { name: make.name(`${stream}/gate`), stream, excitation, own, shared };
    });
    const recalibrated = entries.map(([stream, x], k) => {
      const { name, excitation } = gates[k]!;
      return [stream, new ChannelGate({ name }).apply([x, excitation])] as const;
    });
    return { streams: Object.fromEntries(recalibrated) as Record<string, SymbolicTensor>, gates };
  };
  return { check: () => undefined, connect };
}
