import { MultiObjectiveTrainer } from '@multigrad/core';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import {
  expectConstantMemory,
  savedAndLoaded,
  startTestedBackend,
  testedBackends,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { encoderDecoder } from '../encoders/encoder-decoder.ts';
import { lenet } from '../encoders/lenet.ts';
import type { Sharing } from '../sharing/sharing.ts';
import { multiTaskNetwork } from './make-multi-task-network.ts';

const [height, width, classes, seed] = [8, 12, 3, 6];

const trunk = (name: string) =>
  encoderDecoder({ name, channels: 3, inputHeight: height, inputWidth: width, width: 3, seed });
const tasks = {
  segmentation: { kind: 'segmentation', classes },
  depth: { kind: 'pixel-regression', size: 1, hidden: 4 },
  normal: { kind: 'normals' },
} as const;
const network = (sharing: Sharing = 'hard') => multiTaskNetwork({ trunk, sharing, tasks, seed });

const sharings: Record<string, Sharing> = {
  hard: 'hard',
  'cross-stitch': { kind: 'cross-stitch', after: ['pool1', 'up2'] },
  mtan: { kind: 'mtan', after: ['down1', 'down2', 'middle', 'up2', 'up1'] },
  ltb: { kind: 'ltb', after: ['pool1', 'middle'] },
};

/** Images, classes, depths and directions, some of them missing. */
function batch() {
  return tf.tidy(() => {
    const image = tf.randomNormal([2, height, width, 3], 0, 1, 'float32', 3);
    const channel = tf.squeeze(tf.slice(image, [0, 0, 0, 0], [-1, -1, -1, 1]), [3]);
    const at = tf.reshape(tf.range(0, 2 * height * width), [2, height, width]);
    const classOf = tf.add(
      tf.cast(tf.greater(channel, -0.4), 'int32'),
      tf.cast(tf.greater(channel, 0.4), 'int32'),
    );
    const missing = tf.equal(tf.mod(at, 7), 0);
    const labels = tf.where(missing, tf.fill(at.shape, -1), tf.cast(classOf, 'float32'));
    const nothing = tf.fill([2, height, width], NaN);
    const depths = tf.add(tf.mul(channel, 0.5), 2);
    const aside = tf.slice(image, [0, 0, 0, 0], [-1, -1, -1, 2]);
    const directions = tf.concat([aside, tf.fill([2, height, width, 1], -1)], 3);
    const hidden = tf.broadcastTo(tf.expandDims(tf.equal(tf.mod(at, 4), 0), 3), directions.shape);
    return {
      image: image as tf.Tensor4D,
      normal: tf.where(hidden, tf.fill([2, height, width, 3], NaN), directions) as tf.Tensor4D,
      segmentation: tf.cast(labels, 'int32') as tf.Tensor3D,
      depth: tf.where(tf.equal(tf.mod(at, 5), 0), nothing, depths) as tf.Tensor3D,
    };
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length;

describe.each(testedBackends())('tasks with a target at every pixel on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  it('measure what their definitions say, of the pixels that have a target', async () => {
    await expectConstantMemory(() => {
      const net = network();
      const data = batch();
      tf.tidy(() => {
        const outputs = net.forward(data.image, { training: false });
        const { losses, metrics } = {
          losses: net.losses(data.image, data, { training: false }),
          metrics: net.metrics(data.image, data),
        };
        const labels = [...data.segmentation.dataSync()];
        const logits = tf.reshape(outputs.segmentation, [-1, classes]).arraySync() as number[][];
        const seen = [...labels.keys()].filter((i) => labels[i]! >= 0);
        const entropies = seen.map((i) => {
          const total = logits[i]!.reduce((sum, z) => sum + Math.exp(z), 0);
          return Math.log(total) - logits[i]![labels[i]!]!;
        });
        expect(losses.segmentation!.dataSync()[0]).toBeCloseTo(mean(entropies), 5);
        const found = logits.map((row) => row.indexOf(Math.max(...row)));
        const hits = seen.map((i) => Number(found[i] === labels[i]));
        expect(metrics.segmentation!['accuracy']!.dataSync()[0]).toBeCloseTo(mean(hits), 6);
        const overlaps = [0, 1, 2].flatMap((k) => {
          const either = seen.filter((i) => labels[i] === k || found[i] === k);
          const both = either.filter((i) => labels[i] === k && found[i] === k);
          return either.length === 0 ? [] : [both.length / either.length];
        });
        expect(metrics.segmentation!['iou']!.dataSync()[0]).toBeCloseTo(mean(overlaps), 6);
        const depths = [...data.depth.dataSync()];
        const guesses = [...outputs.depth.dataSync()];
        const there = [...depths.keys()].filter((i) => !Number.isNaN(depths[i]!));
        const errors = there.map((i) => Math.abs(guesses[i]! - depths[i]!));
        expect(losses.depth!.dataSync()[0]).toBeCloseTo(mean(errors), 5);
        expect(metrics.depth!['error']!.dataSync()[0]).toBeCloseTo(mean(errors), 5);
        const directions = tf.reshape(data.normal, [-1, 3]).arraySync() as number[][];
        const guessed = tf.reshape(outputs.normal, [-1, 3]).arraySync() as number[][];
        const known = [...directions.keys()].filter((i) => !directions[i]!.some(Number.isNaN));
        expect(known.length).toBeLessThan(directions.length);
        const cosines = known.map((i) => {
          const [p, t] = [guessed[i]!, directions[i]!];
          return (
            p.reduce((sum, one, k) => sum + one * t[k]!, 0) / Math.hypot(...p) / Math.hypot(...t)
          );
        });
        expect(losses.normal!.dataSync()[0]).toBeCloseTo(1 - mean(cosines), 5);
        const degrees = cosines.map((cosine) => (Math.acos(cosine) * 180) / Math.PI);
        expect(metrics.normal!['angle']!.dataSync()[0]).toBeCloseTo(mean(degrees), 3);
        for (const [name, limit] of [
          ['within11', 11.25],
          ['within22', 22.5],
          ['within30', 30],
        ] as const) {
          const share = mean(degrees.map((angle) => Number(angle < limit)));
          expect(metrics.normal![name]!.dataSync()[0]).toBeCloseTo(share, 6);
        }
        const relative = there.map((i, at) => errors[at]! / Math.abs(depths[i]!));
        expect(metrics.depth!['relative']!.dataSync()[0]).toBeCloseTo(mean(relative), 5);
      });
      tf.dispose(data);
      net.dispose();
    });
  });

  it.each(Object.entries(sharings))('learn with %s sharing', async (_, sharing) => {
    await expectConstantMemory(async () => {
      const net = network(sharing);
      const data = batch();
      const optimizer = tf.train.adam(0.02);
      const trainer = new MultiObjectiveTrainer({
        objectives: ({ image, ...targets }: typeof data, mode) =>
          net.objectives(image, targets, mode),
        variables: net.trainableVariables,
        parts: net.parts,
        strategy: mmpareto(),
        optimizer,
      });
      const { history } = await trainer.fit([data], { epochs: 12 });
      for (const task of net.objectiveNames) {
        const losses = history[`${task}_loss`]!;
        expect(losses.at(-1)).toBeLessThan(0.9 * losses[0]!);
      }
      optimizer.dispose();
      tf.dispose(data);
      net.dispose();
    });
  });

  it('leave out a task whose pixels all miss, and are kept as files', async () => {
    await expectConstantMemory(async () => {
      const net = network();
      const copy = await savedAndLoaded(net.model);
      tf.tidy(() => {
        const image = tf.ones([1, height, width, 3]);
        const targets = {
          segmentation: tf.fill([1, height, width], -1, 'int32'),
          depth: tf.ones([1, height, width, 1]),
        };
        expect(Object.keys(net.losses(image, targets, { training: false }))).toEqual(['depth']);
        const copied = copy.predict(image) as tf.Tensor[];
        const outputs = net.forward(image, { training: false });
        expect(outputs.segmentation.shape).toEqual([1, height, width, classes]);
        net.objectiveNames.forEach((task, k) => {
          expect(copied[k]!.dataSync()).toEqual(outputs[task].dataSync());
        });
      });
      copy.dispose();
      net.dispose();
    });
  });
});

describe('tasks with a target at every pixel', () => {
  it('refuse what does not fit them', async () => {
    await expectConstantMemory(() => {
      expect(() => network('mmoe')).toThrow("share by 'hard', 'cross-stitch', 'mtan' or 'ltb'");
      expect(() =>
        multiTaskNetwork({ trunk, tasks: { ...tasks, kind: { kind: 'classification', classes } } }),
      ).toThrow('for all tasks or for none. Found it for segmentation, depth, normal alone');
      const flat = (name: string) => lenet({ name, channels: 1, seed });
      expect(() => multiTaskNetwork({ trunk: flat, tasks })).toThrow('should return maps');
      expect(() =>
        encoderDecoder({ name: 'odd', channels: 1, inputHeight: 10, inputWidth: 8 }),
      ).toThrow('Option `inputHeight` of `encoderDecoder` should be divisible by 4');
      const net = network();
      tf.tidy(() => {
        const image = tf.ones([1, height, width, 3]);
        const labels = tf.ones([1, height, width]);
        expect(() => net.losses(image, { segmentation: labels })).toThrow(
          'Targets of `segmentation` should be an int32 tensor of shape [n, height, width]',
        );
        expect(() => net.losses(image, { normal: labels })).toThrow(
          'Targets of `normal` should be a float32 tensor of shape [n, height, width, 3]. Found float32 [1, 8, 12].',
        );
      });
      net.dispose();
    });
  });
});
