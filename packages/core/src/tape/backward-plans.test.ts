import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { expectConstantMemory, startTestBackend, variableOf } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { BackwardPlans } from './backward-plans.ts';
import { Tape } from './tape.ts';

beforeAll(async () => {
  await startTestBackend();
});

type Losses = () => readonly tf.Tensor[];

/** The gradients of each loss by each variable, as numbers: by plans, and in the plain way over the same tape. */
function gradientsOf(
  plans: BackwardPlans,
  losses: Losses,
  variables: readonly tf.Tensor[],
): { readonly found: readonly unknown[]; readonly expected: readonly unknown[] } {
  const tape = Tape.record(losses);
  const seeds = tape.value.map((tensor) => [{ tensor }]);
  try {
    const made = plans.backward(tape, variables, seeds);
    const paths = tape.paths(variables);
    const plain = seeds.map((own) => tape.backward(own, paths));
    const result = { found: made.map(numbersOf), expected: plain.map(numbersOf) };
    tf.dispose([made.flat(), plain.flat()].map((all) => all.filter((one) => one !== null)));
    return result;
  } finally {
    tape.dispose();
    tf.dispose([...tape.value]);
  }
}

function numbersOf(gradients: readonly (tf.Tensor | null)[]): unknown[] {
  return gradients.map((gradient) =>
    gradient === null ? null : [gradient.shape, [...gradient.dataSync()]],
  );
}

/** Takes steps, changes the variables between them, and checks each step's gradients to the last bit. */
function takeSteps(
  plans: BackwardPlans,
  steps: number,
  lossesAt: (step: number) => Losses,
  variables: readonly tf.Variable[],
): void {
  for (let step = 0; step < steps; step += 1) {
    const { found, expected } = gradientsOf(plans, lossesAt(step), variables);
    expect(found).toEqual(expected);
    for (const variable of variables) {
      tf.tidy(() => variable.assign(tf.mul(variable, 0.9) as never));
    }
  }
}

/** A perceptron with two losses; the data are others at each step. */
function perceptron(rows = 4): {
  readonly variables: readonly tf.Variable[];
  readonly lossesAt: (step: number, size?: number) => Losses;
} {
  const kernel = variableOf(() => tf.randomNormal([3, 5], 0, 1, 'float32', 1));
  const bias = variableOf(() => tf.randomNormal([5], 0, 1, 'float32', 2));
  const head = variableOf(() => tf.randomNormal([5, 2], 0, 1, 'float32', 3));
  return {
    variables: [kernel, bias, head],
    lossesAt:
      (step, size = rows) =>
      () => {
        const x = tf.randomNormal<tf.Rank.R2>([size, 3], 0, 1, 'float32', 10 + step);
        const hidden = tf.fused.matMul({ a: x, b: kernel, bias, activation: 'relu' });
        const y = tf.tanh(tf.matMul(hidden, head as tf.Tensor2D));
        return [tf.mean(tf.square(y)), tf.sum(tf.mul(tf.softmax(y), y))];
      },
  };
}

describe('plans of backward passes', () => {
  it('are followed from the third step on, with the same gradients to the last bit', async () => {
    await expectConstantMemory(() => {
      const plans = new BackwardPlans();
      const { variables, lossesAt } = perceptron();
      takeSteps(plans, 6, lossesAt, variables);
      expect(plans.report).toEqual({ replayed: 4, recorded: 2, plain: {}, changed: null });
      tf.dispose([...variables]);
    });
  });

  it('run no operation of TensorFlow.js', () => {
    const plans = new BackwardPlans();
    const { variables, lossesAt } = perceptron();
    takeSteps(plans, 2, lossesAt, variables);
    const tape = Tape.record(lossesAt(2));
    const owner = tf.engine() as unknown as { runKernelFunc: (call: object) => unknown };
    const { runKernelFunc } = owner;
    const calls: unknown[] = [];
    owner.runKernelFunc = (call) => {
      calls.push((call as { kernelName?: string }).kernelName);
      return runKernelFunc.call(owner, call);
    };
    const made = plans.backward(
      tape,
      variables,
      tape.value.map((tensor) => [{ tensor }]),
    );
    owner.runKernelFunc = runKernelFunc;
    tape.dispose();
    tf.dispose([...variables, ...tape.value, ...made.flat()] as tf.Tensor[]);
    // On native TensorFlow the kernel `Sum` makes a tensor of its own, so the engine runs it.
    expect(calls.filter((name) => tf.getBackend() !== 'tensorflow' || name !== 'Sum')).toEqual([]);
  });

  it('are kept for batches of several sizes', async () => {
    await expectConstantMemory(() => {
      const plans = new BackwardPlans();
      const { variables, lossesAt } = perceptron();
      takeSteps(plans, 12, (step) => lossesAt(step, step % 3 === 2 ? 2 : 4), variables);
      const { replayed, recorded, plain } = plans.report;
      expect({ replayed, recorded, plain }).toEqual({ replayed: 8, recorded: 4, plain: {} });
      expect(plans.report.changed).toMatch(/in place of/);
      tf.dispose([...variables]);
    });
  });

  it('follow a forward pass that takes another way', async () => {
    await expectConstantMemory(() => {
      const plans = new BackwardPlans();
      const w = variableOf(() => tf.tensor1d([1, -2, 3]));
      const ways = [tf.square, tf.sin, (x: tf.Tensor) => tf.mul(x, 3)];
      const lossesAt = (step: number) => () => [tf.sum(ways[step % 3]!(w))];
      takeSteps(plans, 12, lossesAt, [w]);
      expect(plans.report.replayed).toBe(6);
      w.dispose();
    });
  });

  it.each<[string, (step: number, w: tf.Tensor) => tf.Tensor]>([
    ['an attribute', (step, w) => tf.cumsum(w, 0, step % 2 === 0, step % 4 > 1)],
    [
      'an attribute that is an array',
      (step, w) => tf.transpose(tf.reshape(w, [2, 2]), step % 2 === 0 ? [0, 1] : [1, 0]),
    ],
    ['the leak of an activation', (step, w) => tf.leakyRelu(w, step / 10)],
    [
      'which tensor is used',
      (step, w) => {
        const [a, b] = [tf.sin(w), tf.cos(w)];
        return step % 2 === 0 ? tf.div(a, b) : tf.div(b, a);
      },
    ],
    [
      'whether a tensor is used twice',
      (step, w) => {
        const [a, b] = [tf.sin(w), tf.cos(w)];
        return step % 2 === 0 ? tf.mul(a, b) : tf.mul(a, a);
      },
    ],
    [
      'the shape of an operand',
      (step, w) => tf.mul(w, step % 2 === 0 ? tf.ones([4]) : tf.ones([1])),
    ],
    ['a number of the program', (step, w) => tf.mul(w, step)],
  ])('see %s', async (_, f) => {
    await expectConstantMemory(() => {
      const plans = new BackwardPlans();
      const w = variableOf(() => tf.tensor1d([0.5, -1, 0.25, 2]));
      const weights = tf.tensor([1, 2, 3, 4]);
      const lossesAt = (step: number) => () => {
        const y = f(step, w);
        return [tf.sum(tf.mul(y, tf.reshape(weights, y.shape)))];
      };
      takeSteps(plans, 12, lossesAt, [w]);
      weights.dispose();
      w.dispose();
    });
  });

  it('see an array that the program changes after it has passed it on', () => {
    const plans = new BackwardPlans();
    const w = variableOf(() =>
      tf.tensor2d([
        [0.5, -1],
        [0.25, 2],
      ]),
    );
    const weights = tf.tensor2d([
      [1, 2],
      [3, 4],
    ]);
    const order = [0, 1];
    const lossesAt = (step: number) => () => {
      if (step > 3) order.splice(0, 2, 1, 0);
      return [tf.sum(tf.mul(tf.transpose(w, order), weights))];
    };
    takeSteps(plans, 8, lossesAt, [w]);
    tf.dispose([w, weights]);
  });

  it('call the gradient function of tf.customGrad in every step', async () => {
    await expectConstantMemory(() => {
      const plans = new BackwardPlans();
      const w = variableOf(() => tf.tensor1d([1, -2, 3]));
      const lossesAt = (step: number) => () => {
        const reversed = tf.customGrad((x) => ({
          value: tf.mul(x as tf.Tensor, 1),
          // The factor is seen nowhere in the forward pass.
          gradFunc: (dy: tf.Tensor) => tf.mul(dy, -step),
        }));
        const passed = tf.customGrad((x) => ({
          value: tf.mul(x as tf.Tensor, 1),
          gradFunc: (dy: tf.Tensor) => dy,
        }));
        return [tf.sum(passed(reversed(tf.square(w)))), tf.sum(passed(w))];
      };
      takeSteps(plans, 6, lossesAt, [w]);
      expect(plans.report).toMatchObject({ replayed: 4, plain: {} });
      w.dispose();
    });
  });

  it('say that a registered gradient calls other kernels in a later step', async () => {
    await expectConstantMemory(() => {
      const plans = new BackwardPlans();
      const w = variableOf(() => tf.tensor1d([1, -2, 3]));
      let factor = 1;
      const stock = tf.getGradient('Sin');
      tf.unregisterGradient('Sin');
      tf.registerGradient({
        kernelName: 'Sin',
        gradFunc: (dy: tf.Tensor | tf.Tensor[]) => {
          factor += 1;
          return { x: () => tf.mul(dy as tf.Tensor, tf.scalar(factor % 4 < 2 ? 1 : 2)) };
        },
      });
      try {
        for (let step = 0; step < 4; step += 1) gradientsOf(plans, () => [tf.sum(tf.sin(w))], [w]);
      } finally {
        tf.unregisterGradient('Sin');
        tf.registerGradient(stock);
      }
      expect(plans.report.replayed).toBe(0);
      expect(Object.keys(plans.report.plain)).toEqual([
        'a gradient function makes other constants',
      ]);
      w.dispose();
    });
  });

  it('are not made where a gradient function reads numbers', async () => {
    await expectConstantMemory(() => {
      const plans = new BackwardPlans();
      const w = variableOf(() => tf.tensor1d([1, -2, 3]));
      const stock = tf.getGradient('Sin');
      tf.unregisterGradient('Sin');
      tf.registerGradient({
        kernelName: 'Sin',
        inputsToSave: ['x'],
        gradFunc: (dy: tf.Tensor | tf.Tensor[], [x]) => ({
          x: () => (x!.dataSync()[0]! > 0 ? tf.mul(dy as tf.Tensor, 2) : tf.neg(dy as tf.Tensor)),
        }),
      });
      try {
        takeSteps(plans, 4, () => () => [tf.sum(tf.sin(w))], [w]);
      } finally {
        tf.unregisterGradient('Sin');
        tf.registerGradient(stock);
      }
      expect(plans.report.plain).toEqual({ 'a gradient function reads numbers of a tensor': 3 });
      w.dispose();
    });
  });

  it('free all that they made where a kernel fails', async () => {
    await expectConstantMemory(() => {
      const plans = new BackwardPlans();
      const { variables, lossesAt } = perceptron();
      takeSteps(plans, 3, lossesAt, variables);
      for (const kernel of ['TanhGrad', 'BatchMatMul', 'Multiply', 'Sum'] as const) {
        const config = tf.getKernel(kernel, tf.getBackend()) as tf.KernelConfig | undefined;
        if (config === undefined) continue;
        const { kernelFunc } = config;
        const tape = Tape.record(lossesAt(3));
        const seeds = tape.value.map((tensor) => [{ tensor }]);
        const fail = (): never => {
          throw new Error('out of memory');
        };
        Object.assign(config, { kernelFunc: fail });
        expect(() => plans.backward(tape, variables, seeds)).toThrow('out of memory');
        Object.assign(config, { kernelFunc });
        tape.dispose();
        tf.dispose([...tape.value]);
      }
      takeSteps(plans, 1, lossesAt, variables);
      tf.dispose([...variables]);
    });
  });

  it('leave profiled steps to the engine', async () => {
    const plans = new BackwardPlans();
    const { variables, lossesAt } = perceptron();
    takeSteps(plans, 3, lossesAt, variables);
    const { kernels } = await tf.profile(() => {
      takeSteps(plans, 1, lossesAt, variables);
      return Promise.resolve(variables[0]!);
    });
    expect(kernels.length).toBeGreaterThan(20);
    expect(plans.report.plain).toEqual({ 'kernels are profiled': 1 });
    tf.dispose([...variables]);
  });

  it('are made no more where the forward pass is another at every step', async () => {
    await expectConstantMemory(() => {
      const plans = new BackwardPlans();
      const w = variableOf(() => tf.tensor1d([1, -2, 3]));
      takeSteps(plans, 70, (step) => () => [tf.sum(tf.leakyRelu(w, step / 100))], [w]);
      expect(plans.report).toMatchObject({
        recorded: 64,
        plain: { 'the forward pass is another at nearly every step': 6 },
      });
      w.dispose();
    });
  });
});
