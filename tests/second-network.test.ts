import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { type GroupBy, MultiObjectiveTrainer } from '@multigrad/core';
import type { GradientStrategy } from '@multigrad/core/strategy';
import { randomLossWeighting } from '@multigrad/scalarization';
import { graddrop } from '@multigrad/strategy-graddrop';
import { gradvac } from '@multigrad/strategy-gradvac';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { randomGradientWeighting } from '@multigrad/strategy-random-gradient-weighting';
import {
  disposeOptimizer,
  expectConstantMemory,
  testedBackends,
  variableOf,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

// TensorFlow.js counts the variables of a process in their names. Nothing that a seed decides may depend on that: a
// process's second network trains as its first one did.

const strategies: Record<string, (seed: number) => GradientStrategy> = {
  graddrop: (seed) => graddrop({ seed }),
  pcgrad: (seed) => pcgrad({ seed }),
  gradvac: (seed) => gradvac({ seed, beta: 0.5 }),
  rgw: (seed) => randomGradientWeighting({ seed }),
  rlw: (seed) => randomLossWeighting({ seed }),
};
const groupings = ['reach', 'shared', 'layer', 'tensor'] as const;

/** How variables get their names: from a map, from TensorFlow.js, or from TensorFlow.js by layer. */
type Naming = 'map' | 'list' | 'layers';

let layers = 0;

/** The weights after some steps of a network of its own with three objectives that disagree. */
async function train(
  strategy: GradientStrategy,
  groupBy: GroupBy,
  naming: Naming,
): Promise<number[]> {
  layers += 1;
  const make = (layer: string, values: number[]): [string, tf.Variable] => {
    const name = naming === 'layers' ? `${layer}_${layers}/kernel` : undefined;
    return [`${layer}/kernel`, variableOf(() => tf.tensor1d(values), name)];
  };
  const variables = new Map([
    make('first', [0.5, -1, 2, 0.25, -0.75]),
    make('second', [1, 1, -0.5, 0.1, 0.3]),
  ]);
  const [first, second] = [...variables.values()] as [tf.Variable, tf.Variable];
  const optimizer = tf.train.sgd(0.05);
  const trainer = new MultiObjectiveTrainer<number, 'a' | 'b' | 'c'>({
    objectives: (shift) => {
      const product = tf.mul(first, second);
      const towards = (target: number): tf.Scalar =>
        tf.mean(tf.square(tf.sub(tf.cumsum(product), target + shift)));
      return { a: towards(1), b: towards(-2), c: tf.mean(tf.square(tf.sub(first, second))) };
    },
    variables: naming === 'map' ? variables : [first, second],
    strategy,
    groupBy,
    optimizer,
  });
  for (let step = 0; step < 6; step += 1) await trainer.trainOnBatch(step / 10);
  const values = [...first.dataSync(), ...second.dataSync()];
  trainer.dispose();
  disposeOptimizer(optimizer);
  tf.dispose([first, second]);
  return values;
}

describe.each(testedBackends())('a second network with the same seed, on %s', (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
  });

  it.each(Object.keys(strategies))('trains as the first one: %s', async (name) => {
    for (const groupBy of groupings) {
      for (const naming of ['map', 'list', 'layers'] as const) {
        const own = strategies[name]!;
        const [one, two] = [
          await train(own(1), groupBy, naming),
          await train(own(1), groupBy, naming),
        ];
        expect(two, `${groupBy}, ${naming}`).toEqual(one);
        // The seed does matter.
        expect(await train(own(2), groupBy, naming), `${groupBy}, ${naming}`).not.toEqual(one);
      }
    }
  });

  it('draws for each tensor and each group apart', async () => {
    await expectConstantMemory(async () => {
      const twins = [0, 1].map(() => variableOf(() => tf.tensor1d([1, -1, 1, -1, 1, -1, 1, -1])));
      const optimizer = tf.train.sgd(1);
      const trainer = new MultiObjectiveTrainer<null, 'a' | 'b'>({
        objectives: () => ({
          a: tf.addN(twins.map((twin) => tf.sum(tf.mul(twin, 2)))) as tf.Scalar,
          b: tf.addN(twins.map((twin) => tf.sum(tf.mul(twin, -2)))) as tf.Scalar,
        }),
        variables: twins,
        strategy: graddrop({ seed: 3 }),
        optimizer,
      });
      await trainer.trainOnBatch(null);
      const [one, two] = twins.map((twin) => [...twin.dataSync()]);
      expect(one).not.toEqual(two);
      trainer.dispose();
      disposeOptimizer(optimizer);
      tf.dispose(twins);
    });
  });
});
