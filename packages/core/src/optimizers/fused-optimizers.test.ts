import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { disposeOptimizer, expectConstantMemory, expectClose } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { fixedWeights } from '../testing/strategies.ts';
import { MultiObjectiveTrainer } from '../trainer/multi-objective-trainer.ts';
import type { ClipOptions } from '../rows/clip-gradients.ts';
import { fusedAdam } from './fused-adam.ts';
import { fusedMomentum } from './fused-momentum.ts';
import type { FusedOptimizer } from './fused-optimizer.ts';

/** A variable that owns its values alone. */
function made(value: tf.Tensor, name?: string): tf.Variable {
  const variable = tf.variable(value, true, name);
  value.dispose();
  return variable;
}

/** Weights of a small network after some steps. */
async function train(
  optimizerOf: (variables: ReadonlyMap<string, tf.Variable>) => tf.Optimizer | FusedOptimizer,
  { weightDecay = 0, steps = 4, clip = {} as ClipOptions } = {},
): Promise<number[]> {
  return expectConstantMemory(async () => {
    const kernel = made(
      tf.tensor2d([
        [0.5, -0.3],
        [0.2, 0.7],
      ]),
    );
    const bias = made(tf.tensor1d([0.1, -0.1]));
    const variables = new Map([
      ['kernel', kernel],
      ['bias', bias],
    ]);
    const optimizer = optimizerOf(variables);
    const trainer = new MultiObjectiveTrainer({
      objectives: ({ x }: { x: tf.Tensor2D }) => {
        const y = tf.add(tf.matMul(x, kernel), bias);
        return {
          square: tf.mean<tf.Scalar>(tf.square(tf.sub(y, 1))),
          size: tf.mean<tf.Scalar>(tf.square(y)),
        };
      },
      variables,
      strategy: fixedWeights({ square: 0.3, size: 0.7 }),
      optimizer,
      weightDecay,
      ...(Object.keys(clip).length === 0 ? {} : { clip }),
    });
    const x = tf.tensor2d([
      [1, 2],
      [-1, 0.5],
      [0.3, -2],
    ]);
    for (let step = 0; step < steps; step += 1) await trainer.trainOnBatch({ x });
    const weights = [...kernel.dataSync(), ...bias.dataSync()];
    trainer.dispose();
    if (optimizer instanceof tf.Optimizer) disposeOptimizer(optimizer);
    else optimizer.dispose();
    tf.dispose([x, kernel, bias]);
    return weights;
  });
}

describe('fused optimizers', () => {
  it.each([false, true])('momentum is tf.train.momentum, Nesterov %s', async (nesterov) => {
    const options = { learningRate: 0.1, momentum: 0.8, nesterov };
    expectClose(
      await train((variables) => fusedMomentum(variables, options), { weightDecay: 0.05 }),
      await train(() => tf.train.momentum(0.1, 0.8, nesterov), { weightDecay: 0.05 }),
    );
  });

  it('momentum has a weight decay of its own, the same as the trainer’s', async () => {
    const options = { learningRate: 0.1, weightDecay: 0.05 };
    expectClose(
      await train((variables) => fusedMomentum(variables, options)),
      await train(() => tf.train.momentum(0.1, 0.9), { weightDecay: 0.05 }),
    );
  });

  it('Adam is tf.train.adam', async () => {
    expectClose(
      await train((variables) => fusedAdam(variables, { learningRate: 0.05, epsilon: 1e-7 })),
      await train(() => tf.train.adam(0.05, 0.9, 0.999, 1e-7)),
    );
  });

  it('Adam with decoupled decay shrinks the variable beside its step', async () => {
    await expectConstantMemory(() => {
      const variable = made(tf.tensor1d([2]), 'shrinking');
      const options = { learningRate: 0.1, decoupledDecay: 0.5, epsilon: 1e-12 };
      const optimizer = fusedAdam([variable], options);
      tf.tidy(() => optimizer.applyGradients({ shrinking: tf.tensor1d([3]) }));
      expect(variable.dataSync()[0]).toBeCloseTo(2 * 0.95 - 0.1, 6);
      optimizer.dispose();
      variable.dispose();
    });
  });

  it.each<[string, (variables: readonly tf.Variable[]) => FusedOptimizer]>([
    ['momentum', (variables) => fusedMomentum(variables)],
    ['Adam', (variables) => fusedAdam(variables)],
  ])('%s goes on bit for bit from a snapshot', async (_, make) => {
    await expectConstantMemory(() => {
      const variable = made(tf.tensor1d([1, 2]), 'resumed');
      const gradient = tf.tensor1d([0.3, -0.4]);
      const apply = (optimizer: FusedOptimizer): void =>
        optimizer.applyGradients({ resumed: gradient });
      const first = make([variable]);
      apply(first);
      const { values, tensors } = first.snapshot();
      const copies = new Map(Array.from(tensors, ([name, slot]) => [name, slot.clone()]));
      const start = variable.clone();
      apply(first);
      const expected = variable.arraySync();
      variable.assign(start);
      const second = make([variable]);
      second.restore({ values, tensors: copies });
      apply(second);
      expect(variable.arraySync()).toEqual(expected);

      expect(() =>
        second.restore({ values, tensors: new Map([['other/resumed', gradient]]) }),
      ).toThrow(/slot `other\/resumed` is not known here/);
      const [name] = copies.keys();
      const scalar = tf.scalar(1);
      expect(() => second.restore({ values, tensors: new Map([[name!, scalar]]) })).toThrow(
        /is float32 \[\], expected float32 \[2\]/,
      );
      tf.dispose([...copies.values(), scalar, start, gradient, variable]);
      first.dispose();
      second.dispose();
    });
  });

  it.each<ClipOptions>([
    { globalNorm: 0.01 },
    { groupNorm: 0.3 },
    { groupNorm: 0.3, globalNorm: 0.01 },
    { globalNorm: 1e6 },
    { value: 0.02, globalNorm: 0.03 },
  ])('keep within the limits %o', async (clip) => {
    expectClose(
      await train((variables) => fusedMomentum(variables, { learningRate: 0.1 }), { clip }),
      await train(() => tf.train.momentum(0.1, 0.9), { clip }),
    );
  });

  it('leave variables without a gradient as they are, and refuse foreign ones', async () => {
    await expectConstantMemory(() => {
      const variable = made(tf.tensor1d([1]), 'known');
      const optimizer = fusedMomentum([variable]);
      optimizer.applyGradients({ known: null as unknown as tf.Tensor });
      expect(variable.dataSync()[0]).toBe(1);
      tf.tidy(() => {
        expect(() => optimizer.applyGradients({ foreign: tf.tensor1d([1]) })).toThrow(
          /Found `foreign`/,
        );
      });
      optimizer.dispose();
      variable.dispose();
    });
    expect(() => fusedMomentum([], { learningRate: 0 })).toThrow(/learningRate/);
    expect(() => fusedAdam([], { beta1: 1 })).toThrow(/beta1/);
  });
});
