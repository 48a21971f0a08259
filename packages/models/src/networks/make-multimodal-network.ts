import {
  describeValue,
  MultigradError,
  type OptionSpecs,
  resolveOptions,
} from '@multigrad/core/strategy';
import { LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { classifierHead } from '../heads/classifier-head.ts';
import { concatenation } from '../fusions/concatenation.ts';
import type { Initialisation } from '../weights/initialisation.ts';
import { assertLayerName } from '../layer-names.ts';
import { MultimodalNetwork } from './multimodal-network.ts';
import { namedVariables } from '../weights/network-weights.ts';
import { assertPresent, countOption, initialisationOption, seedOption } from '../option-specs.ts';

/** Options of {@link multimodalNetwork}. */
export interface MultimodalNetworkOptions<Modality extends string, Joint extends string> {
  /**
   * One encoder for each modality, at least two: a model of one input and one output, n × features, of which the
   * network becomes the owner.
   */
  readonly encoders: Readonly<Record<Modality, LayersModel>>;
  /**
   * How feature vectors are joined: by concatenation, or by a model with one input for each encoder, in their order.
   *
   * @defaultValue 'concatenation'
   */
  readonly fusion?: 'concatenation' | LayersModel;
  /** Number of classes, an integer >= 2. */
  readonly classes: number;
  /**
   * Seed of the heads' initial weights, an integer >= 0.
   *
   * @defaultValue 0
   */
  readonly seed?: number;
  /**
   * How the heads' weights start.
   *
   * @defaultValue 'pytorch'
   */
  readonly initialisation?: Initialisation;
  /**
   * Name of the joint objective.
   *
   * @defaultValue 'multimodal'
   */
  readonly jointName?: Joint;
}

/**
 * A classifier of several modalities with a joint head and one head for each modality.
 *
 * With encoders φ_k, fusion F and linear heads: `z_k = φ_k(x_k)`, `multimodal: W F(z_1, …, z_M) + b`, `k: W_k z_k + b_k`.
 *
 * @throws MultigradError `invalid-option` for fewer than two encoders, an encoder of the wrong form, parts that share
 * names, or an option out of its range
 *
 * @example
 * ```ts
 * import { digitEncoder, multimodalNetwork } from '@multigrad/models';
 * import '@tensorflow/tfjs-backend-cpu';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const size = { width: 2, features: 8, seed: 1 };
 * const network = multimodalNetwork({
 *   encoders: {
 *     gray: digitEncoder({ name: 'gray', channels: 1, ...size }),
 *     color: digitEncoder({ name: 'color', channels: 3, ...size }),
 *   },
 *   classes: 10,
 *   seed: 1,
 * });
 * const batch = { gray: tf.ones([2, 28, 28, 1]), color: tf.ones([2, 28, 28, 3]) };
 * const losses = network.losses(batch, tf.tensor1d([3, 4], 'int32'));
 * console.log(Object.keys(losses)); // [ 'multimodal', 'gray', 'color' ]
 * network.dispose();
 * ```
 *
 * @see Wei and Hu, "MMPareto: Boosting Multimodal Learning with Innocent Unimodal Assistance", ICML 2024
 * (https://arxiv.org/abs/2405.17730), section 3.1
 */
export function multimodalNetwork<
  Modality extends string,
  const Joint extends string = 'multimodal',
>({
  encoders,
  fusion = 'concatenation',
  jointName = 'multimodal' as Joint,
  ...given
}: MultimodalNetworkOptions<Modality, Joint>): MultimodalNetwork<Modality, Joint> {
  assertPresent('multimodalNetwork', given, ['classes']);
  const { classes, seed, initialisation } = resolveOptions('multimodalNetwork', specs, given);
  const features = featureLengths(encoders);
  const modalities = Object.keys(features) as Modality[];
  assertLayerName('Option `jointName` of `multimodalNetwork`', jointName);
  const fusionModel = fusion === 'concatenation' ? concatenation({ inputs: features }) : fusion;
  const fused = fusedLength(fusionModel, Object.values(features));
  const headNames = [jointName, ...modalities].map((objective) => `head/${objective}`);
  const otherParts = [...Object.values<LayersModel>(encoders), fusionModel];
  assertDifferent([...otherParts.map((part) => part.name), ...headNames]);
  namedVariables(otherParts);
  const head = (objective: Joint | Modality, inputs: number): [string, LayersModel] => [
    objective,
    classifierHead({ name: `head/${objective}`, inputs, classes, seed, initialisation }),
  ];
  const heads = Object.fromEntries([
    head(jointName, fused),
    ...modalities.map((modality) => head(modality, features[modality])),
  ]) as Record<Joint | Modality, LayersModel>;
  return new MultimodalNetwork(jointName, {
    encoders: { ...encoders },
    fusion: fusionModel,
    heads,
  });
}

const specs: OptionSpecs<
  Pick<MultimodalNetworkOptions<string, string>, 'classes' | 'seed' | 'initialisation'>
> = {
  classes: countOption('Number of classes', 2, 2),
  seed: seedOption,
  initialisation: initialisationOption,
};

/** Length of each encoder's feature vector. */
function featureLengths<Modality extends string>(
  encoders: Readonly<Record<Modality, LayersModel>>,
): Record<Modality, number> {
  const entries = Object.entries<unknown>(encoders);
  if (entries.length < 2) fail('encoders', 'should name at least two modalities', entries.length);
  const lengths = entries.map(([modality, encoder]): [string, number] => {
    assertLayerName('A modality in option `encoders` of `multimodalNetwork`', modality);
    const length = outputLength(encoder, 1);
    return length === null
      ? fail(
          `encoders.${modality}`,
          'should be a LayersModel from one input to [n, features]',
          encoder,
        )
      : [modality, length];
  });
  return Object.fromEntries(lengths) as Record<Modality, number>;
}

/** Length of the fused vector. */
function fusedLength(fusion: unknown, lengths: readonly number[]): number {
  const fused = outputLength(fusion, lengths.length);
  const inputs = fused === null ? [] : (fusion as LayersModel).inputs.map(({ shape }) => shape);
  const fits = inputs.every((shape, k) => shape.length === 2 && shape[1] === lengths[k]);
  if (fused !== null && fits) return fused;
  const wanted = lengths.map((length) => `[n, ${length}]`).join(' and ');
  return fail(
    'fusion',
    `should be 'concatenation' or a LayersModel from ${wanted} to [n, features]`,
    fusion,
  );
}

/** Length of the vectors that a model returns, or null if it is no model of `inputs` inputs and one vector output. */
function outputLength(part: unknown, inputs: number): number | null {
  if (!(part instanceof LayersModel)) return null;
  if (part.inputs.length !== inputs || part.outputs.length !== 1) return null;
  const { shape } = part.outputs[0]!;
  return shape.length === 2 ? shape[1]! : null;
}

function assertDifferent(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice === undefined) return;
  throw new MultigradError(
    'invalid-option',
    'The parts of a network should have different names: its encoders, its fusion and its heads, one for ' +
      `\`jointName\` and one for each modality. Found "${twice}" twice.`,
  );
}

function fail(option: string, expectation: string, found: unknown): never {
  const form =
    found instanceof LayersModel
      ? `a LayersModel from ${shapes(found.inputs)} to ${shapes(found.outputs)}`
      : describeValue(found);
  throw new MultigradError(
    'invalid-option',
    `Option \`${option}\` of \`multimodalNetwork\` ${expectation}. Found ${form}.`,
  );
}

function shapes(tensors: readonly SymbolicTensor[]): string {
  return tensors
    .map(({ shape }) => `[${shape.map((size) => size ?? 'n').join(', ')}]`)
    .join(' and ');
}
