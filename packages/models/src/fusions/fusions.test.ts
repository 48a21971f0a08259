import {
  expectConstantMemory,
  savedAndLoaded,
  startTestedBackend,
  testedBackends,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { namedVariables } from '../weights/network-weights.ts';
import { concatenation } from './concatenation.ts';
import { crossAttention } from './cross-attention.ts';
import { film } from './film.ts';
import { gated } from './gated.ts';
import { summation } from './summation.ts';

const inputs = { a: 3, b: 2 };
const seed = 4;

/** Runs `body` with tensors for the inputs and the weights by name, without the fusion's before them. */
async function withFusion(
  make: () => LayersModel,
  body: (z: tf.Tensor2D[], weight: (name: string) => tf.Tensor2D, fused: tf.Tensor) => void,
): Promise<void> {
  await expectConstantMemory(() => {
    const fusion = make();
    tf.tidy(() => {
      const z = fusion.inputs.map(({ shape }, k) =>
        tf.randomNormal<tf.Rank.R2>(
          [2, ...(shape.slice(1) as number[])] as [number, number],
          0,
          1,
          'float32',
          k + 1,
        ),
      );
      const weights = namedVariables([fusion]);
      const weight = (name: string) => weights.get(`fusion/${name}`) as unknown as tf.Tensor2D;
      body(z, weight, fusion.apply(z) as tf.Tensor);
    });
    fusion.dispose();
  });
}

function expectNear(found: tf.Tensor, expected: tf.Tensor): void {
  expect(found.shape).toEqual(expected.shape);
  const values = expected.dataSync();
  found.dataSync().forEach((value, i) => expect(value).toBeCloseTo(values[i]!, 5));
}

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  describe('summation', () => {
    it('adds vectors of one length', async () => {
      await withFusion(
        () => summation({ inputs: { a: 2, b: 2, c: 2 } }),
        (z, _, fused) => expectNear(fused, tf.addN(z)),
      );
    });

    it('maps vectors of another length to that of the sum', async () => {
      await withFusion(
        () => summation({ inputs, seed }),
        ([a, b], weight, fused) => {
          const projected = tf.add(
            tf.matMul(b!, weight('projection/b/kernel')),
            weight('projection/b/bias'),
          );
          expectNear(fused, tf.add(a!, projected));
        },
      );
      await withFusion(
        () => summation({ inputs, features: 5, seed }),
        (_, weight, fused) => {
          expect(fused.shape).toEqual([2, 5]);
          expect(weight('projection/a/kernel').shape).toEqual([3, 5]);
        },
      );
    });
  });

  describe('gated', () => {
    it('weighs what each modality says by a gate that sees all', async () => {
      await withFusion(
        () => gated({ inputs, features: 4, seed }),
        ([a, b], weight, fused) => {
          const dense = (x: tf.Tensor2D, layer: string) =>
            tf.add(tf.matMul(x, weight(`${layer}/kernel`)), weight(`${layer}/bias`));
          const all = tf.concat([a!, b!], 1);
          const term = (z: tf.Tensor2D, modality: string) =>
            tf.mul(
              tf.sigmoid(dense(all, `gate/${modality}`)),
              tf.tanh(dense(z, `hidden/${modality}`)),
            );
          expectNear(fused, tf.add(term(a!, 'a'), term(b!, 'b')));
        },
      );
    });
  });

  describe('film', () => {
    it('scales and shifts the others by the condition', async () => {
      await withFusion(
        () => film({ inputs: { a: 3, b: 2, c: 4 }, condition: 'b', seed }),
        ([a, b, c], weight, fused) => {
          const dense = (layer: string) =>
            tf.add(tf.matMul(b!, weight(`${layer}/kernel`)), weight(`${layer}/bias`));
          const modulated = (z: tf.Tensor2D, modality: string) =>
            tf.add(tf.mul(tf.add(dense(`scale/${modality}`), 1), z), dense(`shift/${modality}`));
          expectNear(fused, tf.concat([modulated(a!, 'a'), modulated(c!, 'c')], 1));
        },
      );
    });

    it('refuses a condition that is none of its inputs, whatever it is called', () => {
      for (const condition of ['d', 'constructor', '__proto__']) {
        expect(() => film({ inputs: { a: 3, b: 2 }, condition: condition as never })).toThrow(
          'Option `condition` of `film` should be one of a, b.',
        );
      }
    });

    it('is conditioned by the first unless told otherwise', async () => {
      await withFusion(
        () => film({ inputs, seed }),
        (_, weight, fused) => {
          expect(fused.shape).toEqual([2, 2]);
          expect(weight('scale/b/kernel').shape).toEqual([3, 2]);
        },
      );
    });
  });

  describe('crossAttention', () => {
    const shapes = { a: [2, 3, 4], b: [5], c: [3, 2] };
    const make = () => crossAttention({ inputs: shapes, width: 4, heads: 2, blocks: 2, seed });

    it('takes vectors, sequences and maps as tokens; each modality sees the others', async () => {
      await withFusion(make, (z, weight, fused) => {
        expect(fused.shape).toEqual([2, 12]);
        expect(weight('a/position/embedding').shape).toEqual([6, 4]);
        expect(weight('b/position/embedding').shape).toEqual([1, 4]);
        const fusion = make();
        // Another c changes what a and b become, by way of their attention.
        const other = fusion.apply([z[0]!, z[1]!, tf.zerosLike(z[2]!)]) as tf.Tensor;
        const same = fusion.apply(z) as tf.Tensor;
        expect([...same.dataSync()]).toEqual([...fused.dataSync()]);
        const moved = tf.abs(tf.sub(other, fused)).dataSync();
        expect(Math.min(...moved)).toBeGreaterThan(1e-6);
        fusion.dispose();
      });
    });

    it('sees the order of a sequence', async () => {
      await withFusion(make, (z, _, fused) => {
        const fusion = make();
        const reversed = fusion.apply([z[0]!, z[1]!, tf.reverse(z[2]!, 1)]) as tf.Tensor;
        expect(tf.max(tf.abs(tf.sub(reversed, fused))).dataSync()[0]).toBeGreaterThan(1e-5);
        fusion.dispose();
      });
    });

    it('refuses shapes that are none', () => {
      expect(() => crossAttention({ inputs: { a: [2], b: 3 as never } })).toThrow(
        'Option `inputs.b` of `crossAttention` should be an array of integers >= 1, at least one. Found 3.',
      );
      expect(() => crossAttention({ inputs: { a: [2] } })).toThrow('at least two modalities');
    });
  });

  describe.each([
    ['concatenation', () => concatenation({ inputs })],
    ['summation', () => summation({ inputs, seed })],
    ['gated', () => gated({ inputs, seed })],
    ['film', () => film({ inputs, seed })],
    [
      'crossAttention',
      () => crossAttention({ inputs: { a: [3], b: [2, 2] }, width: 4, heads: 1, seed }),
    ],
  ])('%s', (_, make) => {
    it('survives a save and a load, and starts from its seed', async () => {
      await expectConstantMemory(async () => {
        const [fusion, again] = [make(), make()];
        const copy = await savedAndLoaded(fusion);
        tf.tidy(() => {
          const z = fusion.inputs.map(({ shape }) =>
            tf.randomNormal([2, ...(shape.slice(1) as number[])], 0, 1, 'float32', 3),
          );
          const [expected, ...others] = [fusion, again, copy].map((m) => m.predict(z) as tf.Tensor);
          for (const other of others) expect(other.dataSync()).toEqual(expected!.dataSync());
        });
        for (const made of [fusion, again, copy]) made.dispose();
      });
    });
  });
});
