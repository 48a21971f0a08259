import * as tfl from '@tensorflow/tfjs-layers';

type Layer = tfl.layers.Layer;
type Symbolic = tfl.SymbolicTensor;

/** A small model around one kind of layer. */
export interface LayerCase {
  /** Shapes of the inputs, batch included. */
  readonly inputs: readonly (readonly number[])[];
  /** Inputs are class numbers below this, which have no gradient. */
  readonly classes?: number;
  readonly build: (inputs: Symbolic[]) => Symbolic;
  /** Called without a model: in one TensorFlow.js hands its input over as a list, which these layers do not take. */
  readonly alone?: () => Layer;
}

/** A case for each factory of `tf.layers`, by its name; some have several. */
export type LayerCases = Readonly<Record<string, readonly LayerCase[]>>;

const one = (shape: readonly number[], layer: () => Layer): LayerCase => ({
  inputs: [shape],
  build: ([x]) => layer().apply(x!) as Symbolic,
});

const alone = (shape: readonly number[], layer: () => Layer): LayerCase => ({
  ...one(shape, layer),
  alone: layer,
});

const merged = (layer: () => Layer): LayerCase => ({
  inputs: [
    [3, 4],
    [3, 4],
  ],
  build: (inputs) => layer().apply(inputs) as Symbolic,
});

const { layers } = tfl;
const line = [2, 7, 3] as const;
const image = [2, 6, 5, 3] as const;
const volume = [2, 4, 5, 4, 2] as const;
const row = [3, 4] as const;
const steps = [2, 4, 3] as const;
const movie = [2, 3, 5, 4, 2] as const;

export const layerCases: LayerCases = {
  // Activations
  elu: [one(row, () => layers.elu())],
  reLU: [one(row, () => layers.reLU()), one(row, () => layers.reLU({ maxValue: 1 }))],
  leakyReLU: [one(row, () => layers.leakyReLU({ alpha: 0.2 }))],
  prelu: [one(row, () => layers.prelu()), one(image, () => layers.prelu({ sharedAxes: [1, 2] }))],
  softmax: [one(row, () => layers.softmax())],
  thresholdedReLU: [one(row, () => layers.thresholdedReLU({ theta: 0.3 }))],
  activation: (
    [
      'elu',
      'gelu',
      'gelu_new',
      'hardSigmoid',
      'linear',
      'mish',
      'relu',
      'relu6',
      'selu',
      'sigmoid',
      'softmax',
      'softplus',
      'softsign',
      'swish',
      'tanh',
    ] as const
  ).map((activation) => one(row, () => layers.activation({ activation }))),
  // Convolutions
  conv1d: [
    one(line, () => layers.conv1d({ filters: 4, kernelSize: 3, padding: 'same' })),
    one(line, () => layers.conv1d({ filters: 4, kernelSize: 3, dilationRate: 2 })),
  ],
  conv2d: [
    one(image, () =>
      layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', activation: 'relu' }),
    ),
    one(image, () => layers.conv2d({ filters: 4, kernelSize: 2, dilationRate: 2 })),
  ],
  conv2dTranspose: [
    one(image, () =>
      layers.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: 'same' }),
    ),
  ],
  conv3d: [one(volume, () => layers.conv3d({ filters: 3, kernelSize: 2, padding: 'same' }))],
  conv3dTranspose: [
    one(volume, () => layers.conv3dTranspose({ filters: 3, kernelSize: 2, strides: 2 })),
  ],
  separableConv2d: [
    one(image, () => layers.separableConv2d({ filters: 4, kernelSize: 3, depthMultiplier: 2 })),
  ],
  depthwiseConv2d: [
    one(image, () => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 })),
    one(image, () => layers.depthwiseConv2d({ kernelSize: 3, padding: 'same', strides: 2 })),
  ],
  cropping2D: [
    one(image, () =>
      layers.cropping2D({
        cropping: [
          [1, 2],
          [0, 1],
        ],
      }),
    ),
  ],
  upSampling2d: [
    one(image, () => layers.upSampling2d({ size: [2, 3] })),
    one(image, () => layers.upSampling2d({ size: [2, 3], interpolation: 'bilinear' })),
  ],
  zeroPadding2d: [
    one(image, () =>
      layers.zeroPadding2d({
        padding: [
          [1, 0],
          [2, 1],
        ],
      }),
    ),
  ],
  // Core
  inputLayer: [
    {
      inputs: [row],
      build: ([x]) => {
        const inner = tfl.sequential({
          layers: [layers.inputLayer({ inputShape: [4] }), layers.dense({ units: 2 })],
        });
        return inner.apply(x!) as Symbolic;
      },
    },
  ],
  dense: [one(row, () => layers.dense({ units: 5, activation: 'tanh' }))],
  dropout: [one(row, () => layers.dropout({ rate: 0.4, seed: 3 }))],
  spatialDropout1d: [one(steps, () => layers.spatialDropout1d({ rate: 0.4, seed: 5 }))],
  flatten: [one(image, () => layers.flatten())],
  repeatVector: [one(row, () => layers.repeatVector({ n: 3 }))],
  reshape: [one(row, () => layers.reshape({ targetShape: [2, 2] }))],
  permute: [one(steps, () => layers.permute({ dims: [2, 1] }))],
  embedding: [
    {
      inputs: [[3, 5]],
      classes: 6,
      build: ([x]) => layers.embedding({ inputDim: 6, outputDim: 4 }).apply(x!) as Symbolic,
    },
  ],
  masking: [
    {
      inputs: [steps],
      build: ([x]) =>
        layers
          .simpleRNN({ units: 3 })
          .apply(layers.masking({ maskValue: 0 }).apply(layers.reLU().apply(x!))) as Symbolic,
    },
  ],
  // Merging
  add: [merged(() => layers.add())],
  average: [merged(() => layers.average())],
  concatenate: [merged(() => layers.concatenate())],
  maximum: [merged(() => layers.maximum())],
  minimum: [merged(() => layers.minimum())],
  multiply: [merged(() => layers.multiply())],
  dot: [
    merged(() => layers.dot({ axes: -1 })),
    {
      inputs: [
        [2, 3, 4],
        [2, 5, 4],
      ],
      build: (inputs) => layers.dot({ axes: [2, 2] }).apply(inputs) as Symbolic,
    },
  ],
  // Normalisation
  batchNormalization: [
    one(row, () => layers.batchNormalization()),
    one(image, () => layers.batchNormalization()),
    one(image, () => layers.batchNormalization({ axis: 2 })),
  ],
  layerNormalization: [one(row, () => layers.layerNormalization())],
  // Pooling
  averagePooling1d: [
    one(line, () => layers.averagePooling1d({ poolSize: 2 })),
    one(line, () => layers.averagePooling1d({ poolSize: 3, strides: 2, padding: 'same' })),
  ],
  averagePooling2d: [
    one(image, () => layers.averagePooling2d({ poolSize: 2 })),
    one(image, () => layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' })),
  ],
  averagePooling3d: [
    one(volume, () => layers.averagePooling3d({ poolSize: 2 })),
    one(volume, () => layers.averagePooling3d({ poolSize: 3, strides: 2, padding: 'same' })),
  ],
  globalAveragePooling1d: [one(line, () => layers.globalAveragePooling1d({}))],
  globalAveragePooling2d: [one(image, () => layers.globalAveragePooling2d({}))],
  globalMaxPooling1d: [one(line, () => layers.globalMaxPooling1d({}))],
  globalMaxPooling2d: [one(image, () => layers.globalMaxPooling2d({}))],
  maxPooling1d: [one(line, () => layers.maxPooling1d({ poolSize: 3, padding: 'same' }))],
  maxPooling2d: [one(image, () => layers.maxPooling2d({ poolSize: 3, strides: 2 }))],
  maxPooling3d: [one(volume, () => layers.maxPooling3d({ poolSize: 2, padding: 'same' }))],
  // Recurrent
  gru: [
    one(steps, () => layers.gru({ units: 3 })),
    one(steps, () => layers.gru({ units: 3, returnSequences: true, goBackwards: true })),
  ],
  lstm: [
    one(steps, () => layers.lstm({ units: 3 })),
    one(steps, () => layers.lstm({ units: 3, returnSequences: true, goBackwards: true })),
  ],
  simpleRNN: [one(steps, () => layers.simpleRNN({ units: 3, returnSequences: true }))],
  gruCell: [one(steps, () => layers.rnn({ cell: layers.gruCell({ units: 3 }) }))],
  lstmCell: [one(steps, () => layers.rnn({ cell: layers.lstmCell({ units: 3 }) }))],
  simpleRNNCell: [one(steps, () => layers.rnn({ cell: layers.simpleRNNCell({ units: 3 }) }))],
  rnn: [
    one(steps, () =>
      layers.rnn({
        cell: [layers.gruCell({ units: 4 }), layers.lstmCell({ units: 3 })],
        returnSequences: true,
      }),
    ),
  ],
  stackedRNNCells: [
    one(steps, () =>
      layers.rnn({
        cell: layers.stackedRNNCells({
          cells: [layers.simpleRNNCell({ units: 4 }), layers.gruCell({ units: 3 })],
        }),
      }),
    ),
  ],
  convLstm2d: [
    one(movie, () => layers.convLstm2d({ filters: 2, kernelSize: 2, returnSequences: true })),
  ],
  convLstm2dCell: [
    one(movie, () =>
      // The general RNN has no place for states of several axes.
      layers.convLstm2d({
        filters: 2,
        kernelSize: 2,
        cell: layers.convLstm2dCell({ filters: 2, kernelSize: 2 }),
      } as Parameters<typeof layers.convLstm2d>[0]),
    ),
  ],
  bidirectional: [
    one(steps, () =>
      layers.bidirectional({
        layer: layers.lstm({ units: 3, returnSequences: true }),
        mergeMode: 'concat',
      }),
    ),
  ],
  timeDistributed: [
    one(steps, () => layers.timeDistributed({ layer: layers.dense({ units: 2 }) })),
  ],
  // Noise
  gaussianNoise: [one(row, () => layers.gaussianNoise({ stddev: 0.5 }))],
  gaussianDropout: [one(row, () => layers.gaussianDropout({ rate: 0.4 }))],
  alphaDropout: [one(row, () => layers.alphaDropout({ rate: 0.4 }))],
  // Preprocessing
  rescaling: [one(row, () => layers.rescaling({ scale: 0.5, offset: 1 }))],
  resizing: [
    alone(image, () => layers.resizing({ height: 9, width: 7 })),
    alone(image, () => layers.resizing({ height: 9, width: 7, interpolation: 'nearest' })),
  ],
  // Both bounds are one, so that every pass draws the same width.
  randomWidth: [alone(image, () => layers.randomWidth({ factor: [0.4, 0.4] }))],
};

/** Factories under another name. */
export const aliases: Readonly<Record<string, string>> = {
  avgPool1d: 'averagePooling1d',
  avgPooling1d: 'averagePooling1d',
  avgPool2d: 'averagePooling2d',
  avgPooling2d: 'averagePooling2d',
  avgPool3d: 'averagePooling3d',
  avgPooling3d: 'averagePooling3d',
  globalMaxPool1d: 'globalMaxPooling1d',
  globalMaxPool2d: 'globalMaxPooling2d',
  maxPool1d: 'maxPooling1d',
  maxPool2d: 'maxPooling2d',
};

/** Factories whose layers nobody can take a gradient through, and why. */
export const withoutGradient: Readonly<Record<string, string>> = {
  categoryEncoding: 'class numbers in, counts out',
  centerCrop: 'cropAndResize of TensorFlow.js has no gradient on any backend',
};

/** What `tf.layers` exports beside factories of layers. */
export const noFactories: readonly string[] = ['Layer', 'RNN', 'RNNCell', 'input'];
