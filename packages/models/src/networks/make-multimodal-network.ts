import { MultigradError, resolveOptions, own } from '@multigrad/core/strategy';
import { LayersModel, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { connectStreams } from '../exchanges/connect-streams.ts';
import type { Connected, Streams } from '../exchanges/exchange.ts';
import { makeExchange, type StageExchange } from '../exchanges/stage-exchange.ts';
import { type Fusion, makeFusion } from '../fusions/fusion.ts';
import { classifierHead } from '../heads/classifier-head.ts';
import { assertLayerName } from '../layer-names.ts';
import { GlobalAverage } from '../layers/global-average.ts';
import { ModalityTokens } from '../layers/modality-tokens.ts';
import { registerLayers } from '../layers/register-layers.ts';
import { assertPresent, countOption, weightOptions, type WeightOptions } from '../option-specs.ts';
import type { Initialisation } from '../weights/initialisation.ts';
import { freeOnError } from '../weights/free-on-error.ts';
import { namedVariables } from '../weights/network-weights.ts';
import { MultimodalNetwork } from './multimodal-network.ts';
import { formText, record, shapeText } from './parts.ts';

/** Options of {@link multimodalNetwork}. `seed` and `initialisation` are those of heads, fusion and exchanges. */
export interface MultimodalNetworkOptions<
  Modality extends string,
  Joint extends string,
> extends WeightOptions {
  /**
   * One encoder for each modality, at least two: a model of one input and one output, n × features, of which the
   * network becomes the owner.
   */
  readonly encoders: Readonly<Record<Modality, LayersModel>>;
  /**
   * How features are joined: the name of a fusion, the same with options (`{ kind: 'film', condition: 'text' }`), or a
   * model with one input for each encoder, in their order. Of features that are no vectors, cross-attention takes the
   * tokens, and the others the mean.
   *
   * @defaultValue 'concatenation'
   */
  readonly fusion?: Fusion;
  /**
   * The exchange between the encoders' stages (`{ kind: 'mmtm', after: ['conv2', 'conv4'] }`); every encoder is then
   * reached by every objective. Encoders must be chains of layers, or of models that branch within.
   *
   * @defaultValue nothing
   */
  readonly exchange?: StageExchange<Modality>;
  /**
   * Probability p with which each modality of a sample is dropped in training, from 0 to 1, 1 excluded: a learnt vector, its
   * token, stands in the place of its features before the fusion. All are never dropped: one of M that were all drawn
   * stays, so a modality is dropped with probability `p − p^M/M`. Nothing is dropped in inference, where
   * {@link MultimodalNetwork.predict} uses the tokens. Unimodal heads see their encoder as it is.
   *
   * @defaultValue 0: no tokens
   */
  readonly modalityDropout?: number;
  /** Number of classes, an integer >= 2. */
  readonly classes: number;
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
 * With encoders φ_k, fusion F and linear heads: `z_k = φ_k(x_k)`, `multimodal: W F(z_1, …, z_M) + b`, `k: W_k z̄_k + b_k`,
 * z̄_k the mean of z_k over pixels or time where it is no vector.
 *
 * With an exchange `z_k = φ_k(x_1, …, x_M)`: the unimodal head of k sits on encoder k's own output, and so sees, through
 * the exchange, the other modalities too. `parts` keeps each encoder a group of its own.
 *
 * @throws MultigradError `invalid-option` for fewer than two encoders, an encoder of the wrong form, parts that share
 * names, or an option out of its range; `unsupported` for `modalityDropout` with an exchange, or with a fusion that takes
 * features that are no vectors
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
>(options: MultimodalNetworkOptions<Modality, Joint>): MultimodalNetwork<Modality, Joint> {
  return freeOnError(() => build(options));
}

function build<Modality extends string, const Joint extends string = 'multimodal'>({
  encoders,
  fusion = 'concatenation',
  exchange,
  jointName = 'multimodal' as Joint,
  ...given
}: MultimodalNetworkOptions<Modality, Joint>): MultimodalNetwork<Modality, Joint> {
  assertPresent('multimodalNetwork', given, ['classes']);
  const { classes, seed, initialisation, modalityDropout } = resolveOptions(
    'multimodalNetwork',
    specs,
    given,
  );
  const shapes = featureShapes(encoders);
  const modalities = Object.keys(shapes) as Modality[];
  assertLayerName('Option `jointName` of `multimodalNetwork`', jointName);
  const fusionModel = makeFusion(fusion, { shapes, seed, initialisation });
  const { fused, fusesMaps } = fusedLength(fusionModel, Object.values(shapes));
  const tokens = tokensOf(modalities, modalityDropout, seed, { fusesMaps, exchange });
  const headNames = [jointName, ...modalities].map((objective) => `head/${objective}`);
  const otherParts = [...Object.values<LayersModel>(encoders), fusionModel];
  const tokenNames = tokens.map((part) => part.name);
  assertDifferent([...otherParts.map((part) => part.name), ...tokenNames, ...headNames]);
  namedVariables(otherParts);
  const connect = connection(encoders, exchange, seed, initialisation);
  const head = (objective: Joint | Modality, inputs: number): [string, LayersModel] => [
    objective,
    classifierHead({ name: `head/${objective}`, inputs, classes, seed, initialisation }),
  ];
  const heads = Object.fromEntries([
    head(jointName, fused),
    ...modalities.map((modality) => head(modality, shapes[modality].at(-1)!)),
  ]) as Record<Joint | Modality, LayersModel>;
  const pools = record(modalities, (modality) =>
    shapes[modality].length === 1 ? null : new GlobalAverage({ name: `pool/${modality}` }),
  );
  return new MultimodalNetwork(jointName, {
    encoders: { ...encoders },
    connect,
    pools,
    fusion: fusionModel,
    fusesMaps,
    ...(tokens[0] === undefined ? {} : { tokens: tokens[0] }),
    heads,
  });
}

const specs = {
  ...weightOptions,
  classes: countOption('Number of classes', 2, 2),
  modalityDropout: {
    kind: 'number',
    default: 0,
    minimum: 0,
    maximum: 1,
    description:
      'Probability with which each modality of a sample is dropped in training, 1 excluded.',
  },
} as const;

/** The layer of learnt tokens, none without modality dropout. @throws MultigradError */
function tokensOf(
  modalities: readonly string[],
  rate: number,
  seed: number,
  { fusesMaps, exchange }: { fusesMaps: boolean; exchange: StageExchange<string> | undefined },
): ModalityTokens[] {
  if (rate === 0) return [];
  if (rate === 1) {
    fail('modalityDropout', 'should be below 1, or all modalities are never seen together', rate);
  }
  const reason =
    exchange !== undefined
      ? `the exchange '${exchange.kind}' shows each modality to the other encoders before it is dropped`
      : fusesMaps
        ? 'the fusion takes features that are no vectors'
        : null;
  if (reason !== null) {
    throw new MultigradError(
      'unsupported',
      'Option `modalityDropout` of `multimodalNetwork` puts a learnt vector in the place of the vector that the fusion gets ' +
        `of a modality; here ${reason}.`,
    );
  }
  registerLayers();
  const named = modalities.map((name) => ({ name }));
  return [new ModalityTokens({ name: 'modality-dropout', modalities: named, rate, seed })];
}

/** Makes the function that applies the encoders to inputs; the exchange's options are checked here. */
function connection<Modality extends string>(
  encoders: Readonly<Record<Modality, LayersModel>>,
  exchange: StageExchange<Modality> | undefined,
  seed: number,
  initialisation: Initialisation,
): (inputs: Streams) => Connected {
  if (exchange === undefined) {
    return (inputs) => ({
      streams: record(
        Object.keys(encoders) as Modality[],
        (modality) => encoders[modality].apply(own(inputs, modality)!) as SymbolicTensor,
      ),
      gates: [],
    });
  }
  const owner = 'exchange';
  const { after } = exchange;
  return connectStreams({
    owner,
    encoders,
    exchange: makeExchange(exchange),
    after,
    seed,
    initialisation,
  });
}

/** Shape of each encoder's features, without the batch. */
function featureShapes<Modality extends string>(
  encoders: Readonly<Record<Modality, LayersModel>>,
): Record<Modality, number[]> {
  const entries = Object.entries<unknown>(encoders);
  if (entries.length < 2) fail('encoders', 'should name at least two modalities', entries.length);
  const shapes = entries.map(([modality, encoder]): [string, number[]] => {
    assertLayerName('A modality in option `encoders` of `multimodalNetwork`', modality);
    const shape = outputShape(encoder, 1);
    return shape === null
      ? fail(
          `encoders.${modality}`,
          'should be a LayersModel from one input to features of known size, [n, …, features]',
          encoder,
        )
      : [modality, shape];
  });
  return Object.fromEntries(shapes) as Record<Modality, number[]>;
}

/** Length of the fused vector, and whether the fusion takes features as they are, or vectors made of them. */
function fusedLength(
  fusion: LayersModel,
  shapes: readonly number[][],
): { fused: number; fusesMaps: boolean } {
  const fused = outputShape(fusion, shapes.length);
  const takes = (wanted: readonly number[][]): boolean =>
    fusion.inputs.every(({ shape }, k) => shapeText(shape.slice(1)) === shapeText(wanted[k]!));
  const vectors = shapes.map((shape) => shape.slice(-1));
  if (fused?.length === 1) {
    if (takes(vectors)) return { fused: fused[0]!, fusesMaps: false };
    if (takes(shapes)) return { fused: fused[0]!, fusesMaps: true };
  }
  const wanted = shapes.map((shape) => shapeText([null, ...shape])).join(' and ');
  return fail(
    'fusion',
    `should be the name of a fusion or a LayersModel from ${wanted} to [n, features]`,
    fusion,
  );
}

/** Shape of what a model returns, without the batch, or null if it has not `inputs` inputs and one output of known size. */
function outputShape(part: unknown, inputs: number): number[] | null {
  if (!(part instanceof LayersModel)) return null;
  if (part.inputs.length !== inputs || part.outputs.length !== 1) return null;
  const shape = part.outputs[0]!.shape.slice(1);
  return shape.length >= 1 && shape.every((size) => size !== null) ? shape : null;
}

function assertDifferent(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice === undefined) return;
  throw new MultigradError(
    'invalid-option',
    'The parts of a network should have different names: its encoders, its fusion, its modality dropout and its heads, ' +
      `one for \`jointName\` and one for each modality. Found "${twice}" twice.`,
  );
}

function fail(option: string, expectation: string, found: unknown): never {
  throw new MultigradError(
    'invalid-option',
    `Option \`${option}\` of \`multimodalNetwork\` ${expectation}. Found ${formText(found)}.`,
  );
}
