import { registerLayers, softmaxCrossEntropy } from '@multigrad/models';
import { trainableVariables, withSeededRandom } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { BatchNormalization } from '../../packages/models/src/layers/batch-normalization.ts';
import { Branch } from '../../packages/models/src/layers/branch.ts';
import { ChannelGate } from '../../packages/models/src/layers/channel-gate.ts';
import { convolution } from '../../packages/models/src/layers/convolution.ts';
import { CrossStitch } from '../../packages/models/src/layers/cross-stitch.ts';
import { Doubled } from '../../packages/models/src/layers/doubled.ts';
import { Dropout } from '../../packages/models/src/layers/dropout.ts';
import {
  ExpertSelection,
  SelectionPenalty,
} from '../../packages/models/src/layers/expert-selection.ts';
import { FoldFrames, UnfoldFrames } from '../../packages/models/src/layers/frames.ts';
import { GlobalAverage } from '../../packages/models/src/layers/global-average.ts';
import { LayerNormalization } from '../../packages/models/src/layers/layer-normalization.ts';
import { Lstm } from '../../packages/models/src/layers/lstm.ts';
import { Mixture } from '../../packages/models/src/layers/mixture.ts';
import { ModalityTokens } from '../../packages/models/src/layers/modality-tokens.ts';
import { MultiHeadAttention } from '../../packages/models/src/layers/multi-head-attention.ts';
import { NormalizedSum } from '../../packages/models/src/layers/normalized-sum.ts';
import { PositionEmbedding } from '../../packages/models/src/layers/position-embedding.ts';
import { TokenEmbedding } from '../../packages/models/src/layers/token-embedding.ts';
import { TokenPool } from '../../packages/models/src/layers/token-pool.ts';
import { labels, type Method, samples, type Weights, weightsOf } from './method.ts';

type Symbolic = tfl.SymbolicTensor;

/** A layer in the midst of a model: what comes before it, and the layer or what stands in its place. */
interface Place {
  readonly input: readonly number[];
  readonly before: (x: Symbolic) => Symbolic[];
  readonly layer: (inputs: Symbolic[]) => Symbolic;
  readonly instead: (inputs: Symbolic[]) => Symbolic;
}

const apply = (layer: tfl.layers.Layer, x: Symbolic | Symbolic[]): Symbolic =>
  layer.apply(x) as Symbolic;

const dense = (x: Symbolic, units = 4): Symbolic =>
  apply(tfl.layers.dense({ units, activation: 'tanh' }), x);

const first = ([x]: Symbolic[]): Symbolic => x!;
const vector: Pick<Place, 'input' | 'before' | 'instead'> = {
  input: [5],
  before: (x) => [dense(x)],
  instead: first,
};
const sequence = { ...vector, input: [3, 5] };
const image = { ...vector, input: [4, 5, 3] };
const video = { ...vector, input: [2, 4, 4, 2] };

/** Which steps of a sequence are tokens: 0, which is padding, where its numbers are negative on average. */
const tokensOf = (x: Symbolic): Symbolic => {
  const columns = apply(tfl.layers.permute({ dims: [2, 1] }), x);
  const means = apply(tfl.layers.averagePooling1d({ poolSize: 5 }), columns);
  const steps = apply(tfl.layers.reshape({ targetShape: [3] }), means);
  return apply(tfl.layers.reLU(), steps);
};

/** Each layer by its class name; `convolution` is a function and has none. */
export const places: Readonly<Record<string, Place>> = {
  MultigradBatchNormalization: {
    ...image,
    layer: ([x]) => apply(new BatchNormalization({ name: 'norm' }), x!),
  },
  MultigradBranch: {
    ...vector,
    before: (x) => [dense(x), dense(x)],
    layer: (inputs) =>
      apply(new Branch({ name: 'branch', seed: 1, warmup: 0, temperature: 1, decay: 10 }), inputs),
    instead: (inputs) => apply(tfl.layers.average(), inputs),
  },
  MultigradExpertSelection: {
    ...vector,
    before: (x) => [apply(tfl.layers.softmax(), dense(x, 2)), dense(x)],
    layer: (inputs) => apply(new ExpertSelection({ name: 'gate', experts: 4, gamma: 2 }), inputs),
    instead: (inputs) => dense(apply(tfl.layers.concatenate(), inputs)),
  },
  MultigradSelectionPenalty: {
    ...vector,
    layer: ([x]) =>
      apply(new SelectionPenalty({ name: 'penalty', experts: 4, gamma: 2, weight: 1 }), x!),
    instead: ([x]) => dense(x!, 1),
  },
  MultigradChannelGate: {
    ...sequence,
    before: (x) => [dense(x), dense(apply(new GlobalAverage({ name: 'squeeze' }), x))],
    layer: (inputs) => apply(new ChannelGate({ name: 'gate' }), inputs),
    instead: ([x, gate]) =>
      apply(tfl.layers.add(), [x!, apply(tfl.layers.repeatVector({ n: 3 }), gate!)]),
  },
  MultigradCrossStitch: {
    ...vector,
    before: (x) => [dense(x), dense(x)],
    layer: (inputs) => {
      const streams = [{ name: 'a' }, { name: 'b' }];
      const own = { name: 'a' };
      return apply(new CrossStitch({ name: 'stitch', streams, own, share: 0.3 }), inputs);
    },
    instead: (inputs) => apply(tfl.layers.average(), inputs),
  },
  MultigradDoubled: {
    ...image,
    layer: ([x]) => apply(new Doubled({ name: 'double' }), x!),
    instead: ([x]) =>
      apply(
        tfl.layers.zeroPadding2d({
          padding: [
            [2, 2],
            [2, 3],
          ],
        }),
        x!,
      ),
  },
  MultigradDropout: {
    ...vector,
    layer: ([x]) => apply(new Dropout({ name: 'dropout', rate: 0.4, seed: 2 }), x!),
  },
  MultigradFoldFrames: {
    ...video,
    layer: ([x]) => {
      const folded = apply(new FoldFrames({ name: 'fold' }), x!);
      const pooled = apply(tfl.layers.maxPooling2d({ poolSize: 2 }), folded);
      return apply(new UnfoldFrames({ name: 'unfold', frames: 2 }), pooled);
    },
  },
  MultigradUnfoldFrames: {
    ...video,
    layer: ([x]) => {
      const folded = apply(new FoldFrames({ name: 'fold' }), x!);
      const convolved = apply(tfl.layers.conv2d({ filters: 2, kernelSize: 2 }), folded);
      return apply(new UnfoldFrames({ name: 'unfold', frames: 2 }), convolved);
    },
  },
  gelu: {
    ...vector,
    layer: ([x]) => {
      registerLayers();
      return apply(tfl.layers.dense({ units: 4, activation: 'gelu' }), x!);
    },
    instead: ([x]) => apply(tfl.layers.dense({ units: 4 }), x!),
  },
  MultigradGlobalAverage: {
    ...image,
    layer: ([x]) => apply(new GlobalAverage({ name: 'average' }), x!),
  },
  MultigradLayerNormalization: {
    ...vector,
    layer: ([x]) => apply(new LayerNormalization({ name: 'norm' }), x!),
  },
  MultigradLstm: {
    ...sequence,
    before: (x) => [dense(x), tokensOf(x)],
    layer: (inputs) =>
      apply(
        new Lstm({
          name: 'lstm',
          units: 4,
          output: 'sequence',
          seed: 1,
          initialisation: 'pytorch',
        }),
        inputs,
      ),
  },
  MultigradMixture: {
    ...vector,
    before: (x) => [apply(tfl.layers.softmax(), dense(x, 2)), dense(x), dense(x)],
    layer: (inputs) => apply(new Mixture({ name: 'mixture' }), inputs),
    instead: (inputs) => apply(tfl.layers.concatenate(), inputs),
  },
  MultigradNormalizedSum: {
    ...image,
    before: (x) => [x, apply(tfl.layers.activation({ activation: 'tanh' }), x)],
    layer: (inputs) => {
      const config = { parts: ['a', 'b'], momentum: 0.9, epsilon: 1e-3 };
      return apply(new NormalizedSum({ name: 'norms', ...config }), inputs);
    },
    instead: (inputs) => apply(tfl.layers.add(), inputs),
  },
  MultigradMultiHeadAttention: {
    ...sequence,
    layer: ([x]) =>
      apply(
        new MultiHeadAttention({
          name: 'attention',
          width: 4,
          heads: 2,
          seed: 1,
          initialisation: 'pytorch',
        }),
        x!,
      ),
  },
  MultigradModalityTokens: {
    ...vector,
    before: (x) => [dense(x), dense(x, 3)],
    layer: (inputs) => {
      const modalities = [{ name: 'a' }, { name: 'b' }];
      const tokens = new ModalityTokens({ name: 'tokens', modalities, rate: 0.5, seed: 1 });
      return apply(tfl.layers.concatenate(), tokens.apply(inputs) as Symbolic[]);
    },
    instead: (inputs) => apply(tfl.layers.concatenate(), inputs),
  },
  MultigradPositionEmbedding: {
    ...sequence,
    layer: ([x]) => apply(new PositionEmbedding({ name: 'position', seed: 1 }), x!),
  },
  MultigradTokenEmbedding: {
    ...vector,
    input: [3],
    before: (x) => [
      apply(tfl.layers.reshape({ targetShape: [3, 4] }), dense(x, 12)),
      apply(tfl.layers.reLU({ maxValue: 2 }), x),
    ],
    layer: ([x, tokens]) => {
      const config = { name: 'tokens', vocabulary: 3, width: 4, deviation: 1, seed: 1 };
      return apply(tfl.layers.multiply(), [x!, apply(new TokenEmbedding(config), tokens!)]);
    },
  },
  MultigradTokenPool: {
    ...sequence,
    before: (x) => [dense(x), tokensOf(x)],
    layer: (inputs) => apply(new TokenPool({ name: 'pool', pool: 'none' }), inputs),
  },
  convolution: {
    ...image,
    layer: ([x]) =>
      apply(
        convolution({
          name: 'convolution',
          filters: 3,
          kernelSize: 3,
          padding: 'same',
          activation: 'relu',
        }),
        x!,
      ),
  },
};

/** Trains the model around a layer by cross-entropy, and returns the weights outside of the layer. */
function train({ input, before }: Place, layer: Place['layer']): Promise<Weights> {
  return withSeededRandom(3, () => {
    const x = tfl.input({ shape: [...input] });
    const inner = layer(before(x));
    const flat = inner.rank > 2 ? tfl.layers.flatten().apply(inner) : inner;
    const output = tfl.layers.dense({ units: 3 }).apply(flat) as Symbolic;
    const model = tfl.model({ inputs: x, outputs: output });
    const [batch, classes] = [samples(input, 1), labels()];
    const variables = trainableVariables(model);
    const optimizer = tf.train.sgd(0.2);
    for (let step = 0; step < 3; step += 1) {
      optimizer.minimize(
        () =>
          softmaxCrossEntropy(model.apply(batch, { training: true, step }) as tf.Tensor2D, classes),
        false,
        variables,
      );
    }
    const weights = weightsOf(variables.map((variable, k) => [`weight ${k}`, variable]));
    optimizer.dispose();
    model.dispose();
    tf.dispose([batch, classes]);
    return Promise.resolve(weights);
  });
}

export const layerMethods: readonly Method[] = Object.entries(places).map(([name, place]) => ({
  kind: 'layer',
  name,
  train: () => train(place, place.layer),
  without: () => train(place, place.instead),
}));
