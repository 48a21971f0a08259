import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { digitEncoder } from '../encoders/digit-encoder.ts';
import { multimodalNetwork } from './make-multimodal-network.ts';
import type { MultimodalNetwork } from './multimodal-network.ts';
import { softmaxCrossEntropy } from '../losses/softmax-cross-entropy.ts';

const side = 8;

function encoder(name: string, channels: number): tfl.LayersModel {
  const size = { width: 2, features: 4, inputHeight: side, inputWidth: side };
  return digitEncoder({ name, channels, seed: 3, ...size });
}

function network(seed = 1): MultimodalNetwork<'gray' | 'color', 'multimodal'> {
  const encoders = { gray: encoder('gray', 1), color: encoder('color', 3) };
  return multimodalNetwork({ encoders, classes: 3, seed });
}

function makeBatch(count = 5): { gray: tf.Tensor; color: tf.Tensor; label: tf.Tensor1D } {
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  return {
    gray: tf.randomUniform([count, side, side, 1], 0, 1, 'float32', 21),
    color: tf.randomUniform([count, side, side, 3], 0, 1, 'float32', 22),
    label: tf.tensor1d(labels, 'int32'),
  };
}

/** Runs `body` with a network and a batch that are freed afterwards; nothing else may stay. */
function withNetwork(
  body: (net: ReturnType<typeof network>, batch: ReturnType<typeof makeBatch>) => unknown,
): Promise<void> {
  return expectConstantMemory(async () => {
    const [net, batch] = [network(), makeBatch()];
    try {
      await expectConstantMemory(() => body(net, batch));
    } finally {
      tf.dispose(batch);
      net.dispose();
    }
  });
}

const modes = [{ training: true }, { training: false }];

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  describe('multimodalNetwork', () => {
    it('names its objectives: the joint one and the modalities', async () => {
      await withNetwork((net, batch) => {
        expect(net.objectiveNames).toEqual(['multimodal', 'gray', 'color']);
        expect(net.modalities).toEqual(['gray', 'color']);
        expect(net.classes).toBe(3);
        const losses = net.losses(batch, batch.label);
        expect(Object.keys(losses)).toEqual(['multimodal', 'gray', 'color']);
        expectTypeOf(losses).toEqualTypeOf<Record<'multimodal' | 'gray' | 'color', tf.Scalar>>();
        // Near log 3: the untrained network knows nothing.
        for (const loss of Object.values(losses))
          expect(loss.dataSync()[0]).toBeCloseTo(Math.log(3), 0);
        tf.dispose(losses);
      });
    });

    it.each(modes)('is encoders, fusion and heads put together ($training)', async (mode) => {
      await withNetwork((net, batch) => {
        tf.tidy(() => {
          const apply = (part: tfl.LayersModel, x: tf.Tensor | tf.Tensor[]) =>
            part.apply(x, mode) as tf.Tensor2D;
          const before = [...net.namedVariables.values()].map((weight) => weight.clone());
          const z = {
            gray: apply(net.encoders.gray, batch.gray),
            color: apply(net.encoders.color, batch.color),
          };
          const expected = {
            multimodal: apply(net.heads.multimodal, tf.concat([z.gray, z.color], 1)),
            gray: apply(net.heads.gray, z.gray),
            color: apply(net.heads.color, z.color),
          };
          [...net.namedVariables.values()].forEach((weight, i) => weight.assign(before[i]!));
          const logits = net.forward(batch, mode);
          const losses = net.losses(batch, batch.label, mode);
          const features = net.features(batch, mode);
          const behind = net.lossesFromFeatures(features, batch.label, mode);
          const both = net.objectives(batch, batch.label, mode);
          for (const objective of net.objectiveNames) {
            expect(logits[objective].shape).toEqual([5, 3]);
            const values = expected[objective].dataSync();
            expect(logits[objective].dataSync()).toEqual(values);
            const loss = softmaxCrossEntropy(expected[objective], batch.label).dataSync();
            expect(losses[objective].dataSync()).toEqual(loss);
            expect(behind[objective].dataSync()).toEqual(loss);
            expect(both[objective].loss.dataSync()).toEqual(loss);
          }
          for (const modality of net.modalities) {
            expect(features[modality].dataSync()).toEqual(z[modality].dataSync());
          }
          expect(Object.keys(net.logits(features, mode))).toEqual(net.objectiveNames);
        });
      });
    });

    it('hands over tensors that outlive the call, and nothing else', async () => {
      await withNetwork((net, batch) => {
        const start = tf.memory().numTensors;
        const made = [
          net.features(batch, { training: true }),
          net.forward(batch, { training: true }),
          net.losses(batch, batch.label),
          net.metrics(batch, batch.label),
        ];
        expect(tf.memory().numTensors - start).toBe(2 + 3 + 3 + 3);
        const evaluated = net.objectives(batch, batch.label, { training: false });
        expect(tf.memory().numTensors - start).toBe(11 + 9);
        tf.dispose([made, evaluated]);
      });
    });

    it('measures accuracy without training', async () => {
      await withNetwork((net, batch) => {
        const moving = net.namedVariables.get('gray/norm/moving_mean')!;
        const before = moving.dataSync()[0];
        const [metrics, logits] = [
          net.metrics(batch, batch.label),
          net.forward(batch, { training: false }),
        ];
        expect(moving.dataSync()[0]).toBe(before);
        for (const objective of net.objectiveNames) {
          const rows = logits[objective].arraySync();
          const hits = rows.filter((row, i) => row.indexOf(Math.max(...row)) === i % 3).length;
          expect(metrics[objective].dataSync()[0]).toBeCloseTo(hits / 5, 6);
        }
        tf.dispose([metrics, logits]);
      });
    });

    it('moves batch statistics once a training pass, for all objectives together', async () => {
      await withNetwork((net, batch) => {
        const moving = net.namedVariables.get('gray/norm/moving_mean')!;
        tf.dispose(net.losses(batch, batch.label));
        const mean = tf.tidy(() => tf.mean(batch.gray).dataSync()[0]!);
        expect(moving.dataSync()[0]).toBeCloseTo(0.1 * mean, 6);
      });
    });

    it('lets the joint objective reach all but the other heads, and each modality its own part', async () => {
      await withNetwork((net, batch) => {
        const { trainableVariables, namedVariables } = net;
        const names = [...namedVariables]
          .filter(([, variable]) => trainableVariables.includes(variable))
          .map(([name]) => name);
        expect(names).toHaveLength(trainableVariables.length);
        expect(net.trainableVariables).toHaveLength(12 + 12 + 6);
        for (const objective of net.objectiveNames) {
          const reached = tf.tidy(() => {
            const loss = () => net.losses(batch, batch.label)[objective];
            const { grads } = tf.engine().gradients(loss, trainableVariables, undefined, true);
            return names.filter((_, i) => (grads[i] as unknown) instanceof tf.Tensor);
          });
          const expected = names.filter((name) => {
            const [part, head] = name.split('/');
            if (part === 'head') return head === objective;
            return objective === 'multimodal' || part === objective;
          });
          expect(reached).toEqual(expected);
        }
      });
    });

    it.each(modes)('has gradients that agree with finite differences ($training)', async (mode) => {
      await withNetwork((net, batch) => {
        for (const objective of net.objectiveNames) {
          const loss = () => net.losses(batch, batch.label, mode)[objective];
          tf.tidy(() => {
            const sources = net.trainableVariables;
            const { grads } = tf.engine().gradients(loss, sources, undefined, true);
            const gradients = grads.map((g: tf.Tensor | null, i) => g ?? tf.zerosLike(sources[i]!));
            const squares = gradients.map((gradient) => tf.sum(tf.square(gradient)).dataSync()[0]!);
            const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
            const lossAt = (step: number) => {
              const before = sources.map((source) => source.clone());
              sources.forEach((source, i) => {
                source.assign(tf.add(source, tf.mul(gradients[i]!, step / norm)));
              });
              const value = loss().dataSync()[0]!;
              sources.forEach((source, i) => {
                source.assign(before[i]!);
              });
              return value;
            };
            // Along the gradient the slope is its norm. The step is wide for float32's sake: 2 % for curvature and kinks.
            const step = 5e-3;
            const slope = (lossAt(step) - lossAt(-step)) / (2 * step);
            expect(norm).toBeGreaterThan(0.01);
            expect(slope / norm).toBeGreaterThan(0.98);
            expect(slope / norm).toBeLessThan(1.02);
          });
        }
      });
    });

    it('names its parts, whose variables are the encoders alone', async () => {
      await withNetwork((net) => {
        expect(Object.keys(net.parts)).toEqual(['gray', 'color']);
        for (const modality of net.modalities) {
          const names = [...net.namedVariables].filter(([, variable]) =>
            net.parts[modality].includes(variable),
          );
          expect(names).toHaveLength(12);
          for (const [name] of names) expect(name.startsWith(`${modality}/`)).toBe(true);
        }
        expect(net.trainableVariables.every((v) => v instanceof tf.Variable && v.trainable)).toBe(
          true,
        );
      });
    });

    it('is the same for the same seed, in a process with other networks', async () => {
      await expectConstantMemory(() => {
        const [a, b, c] = [network(1), network(1), network(2)];
        const values = (net: typeof a) =>
          Array.from(net.namedVariables, ([name, variable]) => [name, [...variable.dataSync()]]);
        expect(values(a)).toEqual(values(b));
        expect([...a.namedVariables.keys()]).toEqual([...c.namedVariables.keys()]);
        expect(a.namedVariables.get('head/gray/kernel')!.dataSync()).not.toEqual(
          c.namedVariables.get('head/gray/kernel')!.dataSync(),
        );
        const names = [a, b, c].flatMap((net) => net.trainableVariables.map(({ name }) => name));
        expect(new Set(names).size).toBe(names.length);
        for (const net of [a, b, c]) net.dispose();
      });
    });

    it('survives a save and a load, as a model', async () => {
      await withNetwork(async (net, batch) => {
        tf.dispose(net.losses(batch, batch.label));
        let saved: tf.io.ModelArtifacts | undefined;
        await net.model.save(
          tf.io.withSaveHandler((artifacts) => {
            saved = artifacts;
            return Promise.resolve({
              modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' },
            });
          }),
        );
        const names = saved!.weightSpecs!.map(({ name }) => name);
        expect(new Set(names)).toEqual(new Set(net.namedVariables.keys()));
        const copy = await tfl.loadLayersModel(tf.io.fromMemory(saved!));
        const logits = net.forward(batch, { training: false });
        const copied = copy.predict([batch.gray, batch.color]) as tf.Tensor[];
        net.objectiveNames.forEach((objective, k) => {
          expect(copied[k]!.dataSync()).toEqual(logits[objective].dataSync());
        });
        tf.dispose([logits, copied]);
        copy.dispose();
      });
    });

    it('frees everything, once', async () => {
      await expectConstantMemory(() => {
        const net = network();
        expect(tf.memory().numTensors).toBeGreaterThanOrEqual(net.namedVariables.size);
        net.dispose();
        net.dispose();
      });
    });

    it('takes another fusion and another name for the joint objective', async () => {
      await expectConstantMemory(() => {
        const features = ['a', 'b'].map((name) => tfl.input({ name, shape: [4] }));
        const gate = tfl.layers.dense({ name: 'fusion/dense', units: 6 });
        const joined = tfl.layers.concatenate().apply(features);
        const fusion = tfl.model({
          name: 'fusion',
          inputs: features,
          outputs: gate.apply(joined) as tfl.SymbolicTensor,
        });
        const encoders = { gray: encoder('gray', 1), color: encoder('color', 3) };
        const net = multimodalNetwork({ encoders, fusion, classes: 3, jointName: 'both' });
        const batch = makeBatch();
        const losses = net.losses(batch, batch.label);
        expectTypeOf(losses).toEqualTypeOf<Record<'both' | 'gray' | 'color', tf.Scalar>>();
        expect(Object.keys(losses)).toEqual(['both', 'gray', 'color']);
        expect(net.namedVariables.get('head/both/kernel')!.shape).toEqual([6, 3]);
        expect(net.trainableVariables).toHaveLength(12 + 12 + 2 + 6);
        tf.dispose([batch, losses]);
        net.dispose();
      });
    });

    it('names a label that is out of range', async () => {
      await withNetwork((net, batch) => {
        const label = tf.tensor1d([0, 1, 3, 1, 0], 'int32');
        expect(() => net.losses(batch, label)).toThrow(
          'labels: expected integers from 0 to 2 for 3 classes, or -1 for a missing label. Found 3 at position 2.',
        );
        expect(() => net.metrics(batch, label)).toThrow('Found 3 at position 2.');
        label.dispose();
      });
    });

    it('refuses inputs that are absent, of the wrong shape or of another number than the labels', async () => {
      await withNetwork((net, batch) => {
        const { gray, color, label } = batch;
        expect(() => net.losses({ gray } as never, label)).toThrow(
          'Input `color` should be a tensor of shape [n, 8, 8, 3]. Found undefined.',
        );
        expect(() => net.forward({ gray, color: gray }, { training: false })).toThrow(
          'Input `color` should be a tensor of shape [n, 8, 8, 3]. Found [5, 8, 8, 1].',
        );
        const fewer = tf.tensor1d([0, 1], 'int32');
        expect(() => net.losses({ gray, color }, fewer)).toThrow(
          'Found float32 [5, 3] and int32 [2].',
        );
        fewer.dispose();
      });
    });

    it('refuses parts that do not fit together, and holds nothing then', async () => {
      await expectConstantMemory(() => {
        const [gray, color, other] = [encoder('gray', 1), encoder('color', 3), encoder('gray', 1)];
        const image = tfl.input({ shape: [4, 4, 1] });
        const relu = (x: tfl.SymbolicTensor) => tfl.layers.reLU().apply(x) as tfl.SymbolicTensor;
        const flat = tfl.model({ inputs: image, outputs: [relu(image), relu(image)] });
        const make =
          (options: Partial<Parameters<typeof multimodalNetwork<string, string>>[0]>) => () =>
            multimodalNetwork<string, string>({
              encoders: { gray, color },
              classes: 3,
              ...options,
            });
        const before = tf.memory().numTensors;
        expect(make({ encoders: { gray } })).toThrow(
          'Option `encoders` of `multimodalNetwork` should name at least two modalities. Found 1.',
        );
        expect(make({ encoders: { gray, color: flat } })).toThrow(
          'Option `encoders.color` of `multimodalNetwork` should be a LayersModel from one input to features of known ' +
            'size, [n, …, features]. Found a LayersModel from [n, 4, 4, 1] to [n, 4, 4, 1] and [n, 4, 4, 1].',
        );
        expect(make({ encoders: { gray, color: {} as never } })).toThrow('an empty object');
        expect(make({ encoders: { gray, '': color } })).toThrow('Found "".');
        expect(make({ encoders: { gray, color: other } })).toThrow('Found "gray" twice.');
        expect(make({ jointName: 'gray' })).toThrow('Found "head/gray" twice.');
        expect(make({ fusion: gray })).toThrow(
          'Option `fusion` of `multimodalNetwork` should be the name of a fusion or a LayersModel from [n, 4] and [n, 4] to ' +
            '[n, features]. Found a LayersModel from [n, 8, 8, 1] to [n, 4].',
        );
        expect(make({ fusion: 'sum' as 'summation' })).toThrow("'summation', 'gated', 'film'");
        expect(make({ fusion: { kind: 'film', condition: 'depth' } })).toThrow(
          'Option `condition` of `film` should be one of gray, color. Found "depth".',
        );
        expect(make({ fusion: { kind: 'cross-attention', width: 6 } })).toThrow(
          'Option `heads` of `crossAttention` should divide `width`, 6. Found 4.',
        );
        expect(make({ fusion: { kind: 'concatenation', width: 6 } as never })).toThrow('`width`');
        const mmtm = (after: readonly string[] | Record<string, readonly string[]>) =>
          make({ fusion: 'gated', exchange: { kind: 'mmtm', after } });
        expect(mmtm(['conv2', 'conv9'])).toThrow(
          'Option `exchange.after` should name stages of `gray`: norm, conv1, pool, conv2, conv3, conv4, average, dense. ' +
            'Found "conv9".',
        );
        expect(mmtm(['conv4', 'conv2'])).toThrow("once, in the encoder's order");
        expect(mmtm([])).toThrow(
          'should name one or more stages of `gray`. Found an array of length 0.',
        );
        expect(mmtm({ gray: ['conv1'], color: ['conv1', 'conv2'] })).toThrow(
          'should name as many stages of each stream. Found 1 of `gray` and 2 of `color`.',
        );
        expect(
          make({ exchange: { kind: 'cross-attention', after: ['conv2', 'dense'], heads: 3 } }),
        ).toThrow(
          'Option `heads` of `crossAttentionExchange` should divide `channels of gray`, 2. Found 3.',
        );
        expect(make({ exchange: { kind: 'mail' as 'mmtm', after: ['conv1'] } })).toThrow(
          'Found "mail".',
        );
        expect(make({ classes: 1 })).toThrow('`classes`');
        expect(() => multimodalNetwork({ encoders: { gray, color } } as never)).toThrow(
          'Option `classes` of `multimodalNetwork` is required.',
        );
        expect(tf.memory().numTensors).toBe(before);
        for (const part of [gray, color, other, flat]) part.dispose();
      });
    });
  });
});
