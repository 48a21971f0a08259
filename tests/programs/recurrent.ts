import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { dataRandom, lossesOf, type Program, quietly, trained } from './program.ts';

/** Texts as one-hot numbers: texts × length × letters. */
function oneHotTexts(texts: readonly string[], alphabet: string): tf.Tensor3D {
  const letters = Array.from(alphabet);
  return tf.tensor3d(
    texts.map((text) =>
      Array.from(text, (letter) => letters.map((each) => (each === letter ? 1 : 0))),
    ),
  );
}

/** Sums read letter by letter and written letter by letter. */
function additionRnn(kind: 'simpleRNN' | 'gru' | 'lstm'): Program {
  return {
    name: `addition with ${kind}`,
    run: async () => {
      const alphabet = '0123456789+ ';
      const random = dataRandom('addition');
      const sums = Array.from({ length: 24 }, () => [random.integer(50), random.integer(50)]);
      const questions = sums.map(([a, b]) => `${a}+${b}`.padEnd(5));
      const answers = sums.map(([a, b]) => `${a! + b!}`.padEnd(2));
      const recurrent = (options: object): tfl.layers.Layer =>
        (tfl.layers[kind] as (options: object) => tfl.layers.Layer)({
          recurrentInitializer: 'glorotNormal',
          ...options,
        });
      const model = tfl.sequential({
        layers: [
          recurrent({ units: 12, inputShape: [5, alphabet.length] }),
          tfl.layers.repeatVector({ n: 2 }),
          recurrent({ units: 12, returnSequences: true }),
          tfl.layers.timeDistributed({ layer: tfl.layers.dense({ units: alphabet.length }) }),
          tfl.layers.activation({ activation: 'softmax' }),
        ],
      });
      const optimizer = tf.train.adam(0.01);
      model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
      const [x, y] = [oneHotTexts(questions, alphabet), oneHotTexts(answers, alphabet)];
      return trained(model, optimizer, [x, y], async () =>
        lossesOf(await model.fit(x, y, { ...quietly, batchSize: 12, epochs: 2 })),
      );
    },
  };
}

/** The next letter of a text, by two stacked LSTMs with their usual initial weights, and letters drawn from them. */
const textGeneration: Program = {
  name: 'text generation',
  run: async () => {
    const text = 'the quick brown fox jumps over the lazy dog and the dog sleeps on ';
    const alphabet = [...new Set(text)].sort().join('');
    const length = 6;
    const starts = Array.from({ length: 24 }, (_, i) => (i * 2) % (text.length - length));
    const x = oneHotTexts(
      starts.map((start) => text.slice(start, start + length)),
      alphabet,
    );
    const y = tf.tidy(() =>
      tf.squeeze<tf.Tensor2D>(
        oneHotTexts(
          starts.map((start) => text.charAt(start + length)),
          alphabet,
        ),
        [1],
      ),
    );
    const model = tfl.sequential({
      layers: [
        tfl.layers.lstm({
          units: 10,
          returnSequences: true,
          inputShape: [length, alphabet.length],
        }),
        tfl.layers.lstm({ units: 8 }),
        tfl.layers.dense({ units: alphabet.length, activation: 'softmax' }),
      ],
    });
    const optimizer = tf.train.rmsprop(0.01);
    model.compile({ optimizer, loss: 'categoricalCrossentropy' });
    return trained(model, optimizer, [x, y], async () => {
      const losses = lossesOf(await model.fit(x, y, { ...quietly, batchSize: 12, epochs: 2 }));
      let seed = text.slice(0, length);
      for (let letter = 0; letter < 4; letter += 1) {
        const probabilities = tf.tidy(() => {
          const output = model.predict(oneHotTexts([seed], alphabet)) as tf.Tensor;
          // Sharpened, as a low temperature does.
          return tf.softmax(tf.div(tf.log(output), 0.6)).dataSync();
        });
        const draw = Math.random();
        let total = 0;
        const chosen = probabilities.findIndex((p) => (total += p) > draw);
        losses.push(probabilities[Math.max(0, chosen)]!);
        seed = seed.slice(1) + alphabet.charAt(Math.max(0, chosen));
      }
      return losses;
    });
  },
};

/** Whether a text of word numbers is kind, by three kinds of network. */
function sentiment(kind: 'flatten' | 'cnn' | 'lstm' | 'bidirectional'): Program {
  return {
    name: `sentiment with ${kind}`,
    run: async () => {
      const [words, length] = [20, 8];
      const random = dataRandom('sentiment');
      const texts = Array.from({ length: 24 }, () =>
        Array.from({ length }, () => random.integer(words)),
      );
      const kindness = texts.map((text) => [text.filter((word) => word < 10).length > 4 ? 1 : 0]);
      const layers: Readonly<Record<typeof kind, () => tfl.layers.Layer[]>> = {
        flatten: () => [tfl.layers.flatten()],
        cnn: () => [
          tfl.layers.dropout({ rate: 0.5 }),
          tfl.layers.conv1d({
            filters: 6,
            kernelSize: 3,
            strides: 1,
            padding: 'valid',
            activation: 'relu',
          }),
          tfl.layers.globalMaxPool1d({}),
          tfl.layers.dense({ units: 6, activation: 'relu' }),
        ],
        lstm: () => [tfl.layers.lstm({ units: 6 })],
        bidirectional: () => [
          tfl.layers.bidirectional({ layer: tfl.layers.gru({ units: 4 }), mergeMode: 'concat' }),
        ],
      };
      const model = tfl.sequential({
        layers: [
          tfl.layers.embedding({ inputDim: words, outputDim: 5, inputLength: length }),
          ...layers[kind](),
          tfl.layers.dense({ units: 1, activation: 'sigmoid' }),
        ],
      });
      const optimizer = tf.train.adam(0.01);
      model.compile({ optimizer, loss: 'binaryCrossentropy', metrics: ['acc'] });
      const [x, y] = [tf.tensor2d(texts), tf.tensor2d(kindness)];
      return trained(model, optimizer, [x, y], async () =>
        lossesOf(await model.fit(x, y, { ...quietly, batchSize: 8, epochs: 2 })),
      );
    },
  };
}

/** Dates in one way of writing into another, with attention over what the encoder has read. */
const dateConversion: Program = {
  name: 'date conversion with attention',
  run: async () => {
    const [letters, length, written, units] = [14, 8, 6, 10];
    const random = dataRandom('dates');
    const given = Array.from({ length: 16 }, () =>
      Array.from({ length }, () => 1 + random.integer(letters - 1)),
    );
    const wanted = given.map((date) => date.slice(length - written).reverse());
    const encoderInput = tfl.input({ shape: [length] });
    const decoderInput = tfl.input({ shape: [written] });
    const encoded = tfl.layers
      .lstm({ units, returnSequences: true })
      .apply(
        tfl.layers
          .embedding({ inputDim: letters, outputDim: 6, inputLength: length })
          .apply(encoderInput),
      ) as tfl.SymbolicTensor;
    const last = new LastStep({ name: 'encoder_last' }).apply(encoded) as tfl.SymbolicTensor;
    const decoded = tfl.layers
      .lstm({ units, returnSequences: true })
      .apply(
        tfl.layers
          .embedding({ inputDim: letters, outputDim: 6, inputLength: written })
          .apply(decoderInput) as tfl.SymbolicTensor,
        { initialState: [last, last] },
      ) as tfl.SymbolicTensor;
    const scores = tfl.layers.dot({ axes: [2, 2] }).apply([decoded, encoded]);
    const attention = tfl.layers.activation({ activation: 'softmax' }).apply(scores);
    const context = tfl.layers
      .dot({ axes: [2, 1] })
      .apply([attention as tfl.SymbolicTensor, encoded]);
    const combined = tfl.layers.concatenate().apply([context as tfl.SymbolicTensor, decoded]);
    const hidden = tfl.layers
      .timeDistributed({ layer: tfl.layers.dense({ units, activation: 'tanh' }) })
      .apply(combined);
    const output = tfl.layers
      .timeDistributed({ layer: tfl.layers.dense({ units: letters, activation: 'softmax' }) })
      .apply(hidden) as tfl.SymbolicTensor;
    const model = tfl.model({ inputs: [encoderInput, decoderInput], outputs: output });
    const optimizer = tf.train.adam(0.01);
    model.compile({ optimizer, loss: 'categoricalCrossentropy' });
    const x = tf.tensor2d(given);
    const before = tf.tensor2d(wanted.map((date) => [0, ...date.slice(0, -1)]));
    const y = tf.tidy(() =>
      tf.cast(tf.oneHot(tf.tensor2d(wanted, [16, written], 'int32'), letters), 'float32'),
    );
    return trained(model, optimizer, [x, before, y], async () =>
      lossesOf(await model.fit([x, before], y, { ...quietly, batchSize: 8, epochs: 2 })),
    );
  },
};

/** The last step of a sequence. */
class LastStep extends tfl.layers.Layer {
  static readonly className = 'LastStep';

  override computeOutputShape(shape: number[]): number[] {
    return [shape[0]!, shape[2]!];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs;
    const [batch, steps, size] = x.shape as [number, number, number];
    return tf.reshape(tf.slice(x, [0, steps - 1, 0], [batch, 1, size]), [batch, size]);
  }
}

tf.serialization.registerClass(LastStep);

export const recurrent: readonly Program[] = [
  additionRnn('simpleRNN'),
  additionRnn('gru'),
  additionRnn('lstm'),
  textGeneration,
  sentiment('flatten'),
  sentiment('cnn'),
  sentiment('lstm'),
  sentiment('bidirectional'),
  dateConversion,
];
