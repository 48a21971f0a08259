import {
  expectConstantMemory,
  savedAndLoaded,
  startTestedBackend,
  testedBackends,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { digitEncoder } from '../encoders/digit-encoder.ts';
import { temporalTransformer } from '../encoders/temporal-transformer.ts';
import { multimodalNetwork, type MultimodalNetworkOptions } from './make-multimodal-network.ts';

type Exchange = MultimodalNetworkOptions<'image' | 'audio', 'multimodal'>['exchange'];

const seed = 6;
const inference = { training: false };

function network(exchange: Exchange) {
  return multimodalNetwork({
    encoders: {
      image: digitEncoder({
        name: 'image',
        channels: 1,
        width: 2,
        features: 3,
        inputHeight: 6,
        inputWidth: 6,
        seed,
      }),
      audio: temporalTransformer({ name: 'audio', length: 3, inputs: 2, width: 6, heads: 2, seed }),
    },
    ...(exchange === undefined ? {} : { exchange }),
    classes: 2,
    seed,
  });
}

const batch = () => ({
  image: tf.randomNormal([2, 6, 6, 1], 0, 1, 'float32', 1),
  audio: tf.randomNormal([2, 3, 2], 0, 1, 'float32', 2),
});

/** Puts x through the layers of an encoder from one to another, both included. */
function through(
  net: ReturnType<typeof network>,
  encoder: 'image' | 'audio',
  x: tf.Tensor,
  [from, to]: readonly [string, string],
): tf.Tensor {
  const all = net.encoders[encoder].layers.slice(1);
  const at = (stage: string) => all.findIndex(({ name }) => name === `${encoder}/${stage}`);
  return all
    .slice(at(from), at(to) + 1)
    .reduce((z, layer: layers.Layer) => layer.apply(z, inference) as tf.Tensor, x);
}

const after = { image: ['conv4'], audio: ['block1'] };
const places = { image: ['conv1', 'conv4'], audio: ['projection', 'block1'] };

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  describe('mmtm', () => {
    it('scales each stream by twice the sigmoid of what all streams say together', async () => {
      await expectConstantMemory(() => {
        const net = network({ kind: 'mmtm', after, ratio: 2 });
        tf.tidy(() => {
          const { image, audio } = batch();
          const weight = (name: string) =>
            net.namedVariables.get(`exchange1/${name}`) as unknown as tf.Tensor2D;
          const dense = (x: tf.Tensor, layer: string) =>
            tf.add(tf.matMul(x as tf.Tensor2D, weight(`${layer}/kernel`)), weight(`${layer}/bias`));
          const x = through(net, 'image', image, ['norm', 'conv4']);
          const y = through(net, 'audio', audio, ['projection', 'block1']);
          const squeezed = tf.concat([tf.mean(x, [1, 2]), tf.mean(y, 1)], 1);
          expect(weight('squeeze/kernel').shape).toEqual([4 + 6, 5]);
          const z = tf.relu(dense(squeezed, 'squeeze'));
          const gate = (stream: string) => tf.mul(2, tf.sigmoid(dense(z, `${stream}/excitation`)));
          const gatedX = tf.mul(x, tf.reshape(gate('image'), [2, 1, 1, 4]));
          const gatedY = tf.mul(y, tf.reshape(gate('audio'), [2, 1, 6]));
          const expected = {
            image: through(net, 'image', gatedX, ['average', 'dense']),
            audio: through(net, 'audio', gatedY, ['block2', 'average']),
          };
          const found = net.features({ image, audio }, inference);
          for (const modality of net.modalities) {
            const values = expected[modality].dataSync();
            found[modality].dataSync().forEach((value, i) => {
              expect(value).toBeCloseTo(values[i]!, 5);
            });
          }
        });
        net.dispose();
      });
    });
  });

  describe('gates of mmtm', () => {
    const gated = () => network({ kind: 'mmtm', after: places });

    it('are named with their modality and their variables', () => {
      const net = gated();
      const names = new Map(Array.from(net.namedVariables, ([name, one]) => [one, name]));
      const described = net.gates.map(({ name, modality, own, shared }) => [
        name,
        modality,
        own.map((one) => names.get(one)),
        shared.map((one) => names.get(one)),
      ]);
      const expected = [1, 2].flatMap((place) =>
        ['image', 'audio'].map((modality) => [
          `exchange${place}/${modality}/gate`,
          modality,
          ['kernel', 'bias'].map((weight) => `exchange${place}/${modality}/excitation/${weight}`),
          ['kernel', 'bias'].map((weight) => `exchange${place}/squeeze/${weight}`),
        ]),
      );
      expect(described).toEqual(expected);
      net.dispose();
    });

    it('open as a change says, each asked once, and tell what they found', async () => {
      await expectConstantMemory(() => {
        const net = gated();
        tf.tidy(() => {
          const given = batch();
          const plain = net.features(given, inference);
          const asked: string[] = [];
          const same = net.gatedFeatures(given, inference, (gate, values) => {
            asked.push(gate);
            return values;
          });
          expect(asked.sort()).toEqual(net.gates.map(({ name }) => name).sort());
          for (const modality of net.modalities) {
            expect([...same.features[modality].dataSync()]).toEqual([
              ...plain[modality].dataSync(),
            ]);
          }
          // With all gates open by 1 the encoders are as without an exchange.
          const open = net.gatedFeatures(given, inference, (_, values) => tf.onesLike(values));
          for (const modality of net.modalities) {
            const alone = net.encoders[modality].apply(given[modality], inference) as tf.Tensor;
            const found = open.features[modality].dataSync();
            alone.dataSync().forEach((value, i) => expect(found[i]).toBeCloseTo(value, 5));
          }
          for (const { name } of net.gates) {
            for (const value of same.gates[name]!.dataSync()) {
              expect(value).toBeGreaterThan(0);
              expect(value).toBeLessThan(2);
            }
          }
          // Gates of the first place see no other gate: they find the same.
          expect([...open.gates['exchange1/image/gate']!.dataSync()]).toEqual([
            ...same.gates['exchange1/image/gate']!.dataSync(),
          ]);
        });
        net.dispose();
      });
    });

    it('that are held pass no gradient to what opens them', async () => {
      await expectConstantMemory(() => {
        const net = gated();
        tf.tidy(() => {
          const given = batch();
          const slopeOf = (held: boolean, variable: string): number => {
            const one = net.namedVariables.get(variable)!;
            const { grads } = tf.variableGrads(() => {
              const { features } = net.gatedFeatures(
                given,
                { training: true, step: 0 },
                (gate, values) =>
                  held && gate.endsWith('image/gate') ? tf.mul(tf.onesLike(values), 0.75) : values,
              );
              const { image, audio } = features;
              // Whatever a held gate leaves out of reach counts with a gradient of 0.
              const sizes = [image, audio].map((z) => tf.sum<tf.Scalar>(tf.pow(z, 4)));
              return tf.add<tf.Scalar>(tf.addN(sizes), tf.mul(0, tf.sum(one)));
            }, [one]);
            return tf.max(tf.abs(grads[one.name]!)).dataSync()[0]!;
          };
          const variable = 'exchange1/image/excitation/kernel';
          expect(slopeOf(false, variable)).toBeGreaterThan(1e-6);
          expect(slopeOf(true, variable)).toBe(0);
          expect(slopeOf(true, 'exchange1/audio/excitation/kernel')).toBeGreaterThan(1e-6);
        });
        net.dispose();
      });
    });

    it('are missing, and asked for, without mmtm', () => {
      for (const exchange of [undefined, { kind: 'cross-attention', after: places } as const]) {
        const net = network(exchange);
        expect(net.gates).toEqual([]);
        expect(() => net.gatedFeatures(batch(), inference, (_, values) => values)).toThrow(
          "`gatedFeatures` needs gates between the encoders: the exchange 'mmtm'.",
        );
        net.dispose();
      }
    });
  });

  describe.each(['mmtm', 'cross-attention'] as const)('%s between stages', (kind) => {
    it('lets each modality see the other, where none does without', async () => {
      await expectConstantMemory(() => {
        const [net, alone] = [network({ kind, after: places }), network(undefined)];
        tf.tidy(() => {
          const { image, audio } = batch();
          const other = { image, audio: tf.neg(audio) };
          const moved = (from: typeof net) => {
            const [a, b] = [
              from.features({ image, audio }, inference),
              from.features(other, inference),
            ];
            return tf.max(tf.abs(tf.sub(a.image, b.image))).dataSync()[0]!;
          };
          expect(moved(net)).toBeGreaterThan(1e-7);
          expect(moved(alone)).toBe(0);
        });
        net.dispose();
        alone.dispose();
      });
    });

    it('has encoders of the same initial weights as without, and its own called by their place', async () => {
      await expectConstantMemory(() => {
        const [net, alone] = [network({ kind, after: places }), network(undefined)];
        for (const [name, variable] of alone.namedVariables) {
          expect(net.namedVariables.get(name)!.dataSync(), name).toEqual(variable.dataSync());
        }
        const own = [...net.namedVariables.keys()].filter(
          (name) => !alone.namedVariables.has(name),
        );
        expect(own.length).toBeGreaterThan(0);
        expect(new Set(own.map((name) => name.split('/')[0]))).toEqual(
          new Set(['exchange1', 'exchange2']),
        );
        expect(net.trainableVariables).toHaveLength(alone.trainableVariables.length + own.length);
        net.dispose();
        alone.dispose();
      });
    });

    it('survives a save and a load of the whole', async () => {
      await expectConstantMemory(async () => {
        const net = network({ kind, after: places });
        const { image, audio } = batch();
        // Moving statistics that are not those of the start.
        tf.dispose(net.forward({ image, audio }, { training: true }));
        const copy = await savedAndLoaded(net.model);
        const logits = net.forward({ image, audio }, inference);
        const copied = copy.predict([image, audio]) as tf.Tensor[];
        net.objectiveNames.forEach((objective, k) => {
          expect(copied[k]!.dataSync()).toEqual(logits[objective].dataSync());
        });
        tf.dispose([image, audio, logits, copied]);
        copy.dispose();
        net.dispose();
      });
    });
  });

  it('refuses an encoder that branches at its outermost level', async () => {
    await expectConstantMemory(() => {
      const x = tfl.input({ name: 'branching/input', shape: [4] });
      const dense = (name: string) =>
        tfl.layers.dense({ name, units: 2 }).apply(x) as SymbolicTensor;
      const sum = tfl.layers.add({ name: 'branching/add' }).apply([dense('left'), dense('right')]);
      const branching = model({ name: 'branching', inputs: x, outputs: sum as SymbolicTensor });
      const audio = temporalTransformer({
        name: 'audio',
        length: 3,
        inputs: 2,
        width: 2,
        heads: 1,
      });
      expect(() =>
        multimodalNetwork({
          encoders: { branching, audio },
          exchange: { kind: 'mmtm', after: { branching: ['add'], audio: ['norm'] } },
          classes: 2,
        }),
      ).toThrow('Found that layer `branching/add` of `branching` joins 2 tensors');
      branching.dispose();
      audio.dispose();
    });
  });
});
