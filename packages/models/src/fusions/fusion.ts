import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import { LayersModel } from '@tensorflow/tfjs-layers';
import type { Initialisation } from '../weights/initialisation.ts';
import { concatenation } from './concatenation.ts';
import { crossAttention, type CrossAttentionOptions } from './cross-attention.ts';
import { film, type FilmOptions } from './film.ts';
import { gated, type GatedOptions } from './gated.ts';
import { summation, type SummationOptions } from './summation.ts';

/** The fusions that come with the package. */
export type FusionKind = 'concatenation' | 'summation' | 'gated' | 'film' | 'cross-attention';

/**
 * The fusion of a network's feature vectors: a fusion's name, its name with options, or a model of one's own with one
 * input for each encoder, in their order, and one vector as its output.
 */
export type Fusion = FusionKind | FusionWithOptions | LayersModel;

type Given = 'inputs' | 'name' | 'seed' | 'initialisation';

/** A fusion with options; shapes, name, seed and initialisation come from the network. */
export type FusionWithOptions =
  | { readonly kind: 'concatenation' }
  | ({ readonly kind: 'summation' } & Omit<SummationOptions, Given>)
  | ({ readonly kind: 'gated' } & Omit<GatedOptions, Given>)
  | ({ readonly kind: 'film' } & Omit<FilmOptions, Given>)
  | ({ readonly kind: 'cross-attention' } & Omit<CrossAttentionOptions, Given>);

/** The network that a fusion is made for, as far as the fusion depends on it. */
export interface FusionSetting {
  /** Shapes of the encoders' outputs, without the batch. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly seed: number;
  readonly initialisation: Initialisation;
}

/**
 * The model of a fusion.
 *
 * @throws MultigradError `invalid-option`
 */
export function makeFusion(fusion: Fusion, setting: FusionSetting): LayersModel {
  if (fusion instanceof LayersModel) return fusion;
  const { shapes, seed, initialisation } = setting;
  const inputs = Object.fromEntries(
    Object.entries(shapes).map(([modality, shape]) => [modality, shape.at(-1)!]),
  );
  const weights = { seed, initialisation };
  const { kind, ...options } = typeof fusion === 'string' ? { kind: fusion } : fusion;
  switch (kind) {
    case 'concatenation':
      return concatenation({ ...options, inputs });
    case 'summation':
      return summation({ ...options, ...weights, inputs });
    case 'gated':
      return gated({ ...options, ...weights, inputs });
    case 'film':
      return film({ ...options, ...weights, inputs });
    case 'cross-attention':
      return crossAttention({ ...options, ...weights, inputs: shapes });
    default:
      throw new MultigradError(
        'invalid-option',
        "Option `fusion` of `multimodalNetwork` should be 'concatenation', 'summation', 'gated', 'film', " +
          `'cross-attention', an object with one of these as its \`kind\`, or a LayersModel. Found ${describeValue(fusion)}.`,
      );
  }
}
