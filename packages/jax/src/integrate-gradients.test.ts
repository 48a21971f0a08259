import { init, jit, lax, numpy as np, tree } from '@jax-js/jax';
import {
  type IntegrateOptions,
  integrateGradients as tensorflowGradients,
  type IntegrationState as TensorflowState,
} from '@multigrad/core';
import type { GradientStrategy } from '@multigrad/core/strategy';
import { weightMomentum } from '@multigrad/composition';
import { smoothTchebycheff, uncertaintyWeighting } from '@multigrad/scalarization';
import { dbMtl } from '@multigrad/strategy-db-mtl';
import { imtlG } from '@multigrad/strategy-imtl-g';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { modo } from '@multigrad/strategy-modo';
import { nashMtl } from '@multigrad/strategy-nash-mtl';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import { trimmedMean } from '@multigrad/strategy-trimmed-mean';
import { upgrad } from '@multigrad/strategy-upgrad';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { integrateGradients, type IntegrationState } from './index.ts';

beforeAll(async () => {
  await init('wasm');
  await tf.setBackend('cpu');
});

/** Numbers that look random, the same each time. */
const numbers = (count: number, phase: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * phase));

const shapes = {
  'trunk/kernel': [4, 5],
  'trunk/bias': [5],
  'left/kernel': [5, 1],
  'right/kernel': [5, 2],
} as const;
type Name = keyof typeof shapes;
const names = Object.keys(shapes) as Name[];
const valuesOf = (name: Name): number[] =>
  numbers(
    shapes[name].reduce<number>((product, size) => product * size, 1),
    names.indexOf(name),
  );
const [x, left, right] = [numbers(24, 7), numbers(6, 8), numbers(12, 9)];

const jaxParameters = () => {
  const array = (name: Name) => np.array(valuesOf(name), { shape: [...shapes[name]] });
  return {
    trunk: { kernel: array('trunk/kernel'), bias: array('trunk/bias') },
    heads: [array('left/kernel'), array('right/kernel')] as [np.Array, np.Array],
  };
};
type Network = ReturnType<typeof jaxParameters>;

/** Two tasks on a shared layer, and a penalty on that layer's output. */
function jaxLosses({ trunk, heads: [toLeft, toRight] }: Network) {
  const hidden = np.tanh(np.matmul(np.array(x, { shape: [6, 4] }), trunk.kernel).add(trunk.bias));
  const error = (kernel: np.Array, target: np.Array) =>
    np.mean(np.square(np.matmul(hidden.ref, kernel).sub(target)));
  return {
    left: error(toLeft, np.array(left, { shape: [6, 1] })),
    right: error(toRight, np.array(right, { shape: [6, 2] })),
    small: np.mean(np.square(hidden)),
  };
}

function tensorflowNetwork() {
  const variables = new Map(
    names.map((name) => [name, tf.variable(tf.tensor(valuesOf(name), [...shapes[name]]))] as const),
  );
  const read = (name: Name): tf.Tensor2D => variables.get(name)! as unknown as tf.Tensor2D;
  const forward = () => {
    const hidden = tf.tanh(
      tf.add(tf.matMul(tf.tensor2d(x, [6, 4]), read('trunk/kernel')), read('trunk/bias')),
    ) as tf.Tensor2D;
    const error = (name: Name, target: number[], width: number) =>
      tf.mean(
        tf.square(tf.sub(tf.matMul(hidden, read(name)), tf.tensor2d(target, [6, width]))),
      ) as tf.Scalar;
    return {
      left: error('left/kernel', left, 1),
      right: error('right/kernel', right, 2),
      small: tf.mean(tf.square(hidden)) as tf.Scalar,
    };
  };
  return { variables, forward };
}

/** Numbers of a network's gradients by variable, in the order of `names`. */
const jaxNumbers = ({ trunk, heads }: Network): number[][] =>
  [trunk.kernel, trunk.bias, ...heads].map((array) => [...(array.dataSync() as Float32Array)]);

const strategies: readonly [string, () => GradientStrategy][] = [
  ['sum', () => sum({ weights: { left: 2, right: 1, small: 0.5 } })],
  ['mmpareto', () => mmpareto()],
  ['mmpareto by tensor', () => mmpareto({ rescale: 'tensor' })],
  ['mgda', () => mgda({ normalization: 'loss+' })],
  ['upgrad', () => upgrad()],
  ['imtl-g', () => imtlG()],
  ['nash-mtl', () => nashMtl()],
  ['db-mtl, with a memory', () => dbMtl()],
  ['trimmed-mean, by coordinate', () => trimmedMean({ trim: 1 })],
  ['uncertainty-weighting, of losses alone', () => uncertaintyWeighting()],
  ['smooth-tchebycheff', () => smoothTchebycheff()],
  ['a composition with a state', () => weightMomentum(mgda())],
];

describe('integrateGradients beside that of TensorFlow.js', () => {
  it.each(strategies)('has the numbers of %s, step after step', async (_, make) => {
    const { variables, forward } = tensorflowNetwork();
    let parameters = jaxParameters();
    let ours: IntegrationState | undefined;
    let theirs: TensorflowState | undefined;
    let memory: IntegrateOptions['memory'];
    for (let step = 0; step < 3; step += 1) {
      const jax = await integrateGradients(make(), jaxLosses, parameters, ours);
      const tensorflow = await tensorflowGradients(make(), forward, variables, {
        state: theirs,
        memory,
      });
      ours = jax.state;
      theirs = tensorflow.state;
      memory = tensorflow.memory;
      for (const [name, loss] of Object.entries(jax.losses)) {
        expect(Math.abs(loss - tensorflow.losses[name as 'left']!)).toBeLessThan(1e-5);
      }
      const found = jaxNumbers(tree.ref(jax.gradients) as Network);
      names.forEach((name, k) => {
        const expected = tensorflow.gradients[variables.get(name)!.name]!.dataSync();
        const scale = Math.max(...expected.map(Math.abs));
        expect(found[k]).toHaveLength(expected.length);
        found[k]!.forEach((value, i) => {
          expect(Math.abs(value - expected[i]!), `${name} ${i} at step ${step}`).toBeLessThan(
            1e-5 * scale,
          );
        });
        const variable = variables.get(name)!;
        variable.assign(
          tf.tidy(() => tf.sub(variable, tf.mul(0.1, tensorflow.gradients[variable.name]!))),
        );
      });
      tf.dispose(tensorflow.gradients);
      parameters = tree.map(
        (p: np.Array, g: np.Array) => p.sub(g.mul(0.1)),
        parameters,
        jax.gradients,
      ) as Network;
    }
    memory?.dispose();
    tree.dispose(parameters);
    tf.dispose([...variables.values()]);
  });

  it('reports groups by what reaches them, with norms, cosines and weights', async () => {
    const parameters = jaxParameters();
    const { groups, gradients } = await integrateGradients(mgda(), jaxLosses, parameters);
    expect(groups.map(({ objectives, parameters: of }) => [objectives, of])).toEqual([
      [
        ['left', 'right', 'small'],
        ['trunk/kernel', 'trunk/bias'],
      ],
      [['left'], ['heads/0']],
      [['right'], ['heads/1']],
    ]);
    const { variables, forward } = tensorflowNetwork();
    const tensorflow = await tensorflowGradients(mgda(), forward, variables);
    const trunk = tensorflow.groups.find(({ objectives }) => objectives.length === 3)!;
    groups[0]!.cosines.flat().forEach((cosine, i) => {
      expect(cosine).toBeCloseTo(trunk.cosines!.flat()[i]!, 5);
    });
    groups[0]!.norms.forEach((norm, k) => expect(norm).toBeCloseTo(trunk.norms![k]!, 5));
    groups[0]!.weights.forEach((weight, k) => expect(weight).toBeCloseTo(trunk.weights[k]!, 4));
    expect(groups[0]!.conflict).toBe(trunk.conflict);
    tf.dispose([...variables.values(), tensorflow.gradients]);
    tree.dispose([parameters, gradients]);
  });
});

describe('integrateGradients', () => {
  it('trains two tasks, and keeps no array alive', async () => {
    let parameters = jaxParameters();
    let state: IntegrationState | undefined;
    const forward = (network: Network) => {
      const { left: toLeft, right: toRight, small } = jaxLosses(network);
      small.dispose();
      return { left: toLeft, right: toRight };
    };
    const losses: Record<string, number>[] = [];
    for (let step = 0; step < 60; step += 1) {
      const result = await integrateGradients(pcgrad({ seed: 1 }), forward, parameters, state);
      state = result.state;
      losses.push(result.losses);
      for (const array of tree.leaves<np.Array>(parameters)) expect(array.refCount).toBe(1);
      parameters = tree.map(
        (p: np.Array, g: np.Array) => p.sub(g.mul(0.2)),
        parameters,
        result.gradients,
      ) as Network;
    }
    for (const task of ['left', 'right']) {
      expect(losses.at(-1)![task]).toBeLessThan(0.5 * losses[0]![task]!);
    }
    tree.dispose(parameters);
  });

  it('sees through jit, and not through what has no derivative', async () => {
    const parameters = { a: np.ones([2]), b: np.ones([2]), c: np.ones([2]) };
    const double = jit((v: np.Array) => np.exp(v.mul(2)));
    const { groups, gradients } = await integrateGradients(
      sum({ weights: { one: 1, two: 1 } }),
      ({ a, b, c }) => ({
        one: np.sum(double(a).mul(lax.stopGradient(b.ref))),
        two: np.sum(np.where(c.ref.greater(0), b, c)),
      }),
      parameters,
    );
    // The sum sees no gradients: one group of all.
    expect(groups.map(({ key }) => key)).toEqual(['all']);
    tree.dispose(gradients);
    const looking = await integrateGradients(
      mgda(),
      ({ a, b, c }) => ({
        one: np.sum(double(a).mul(lax.stopGradient(b.ref))),
        two: np.sum(np.where(c.ref.greater(0), b, c)),
      }),
      parameters,
    );
    expect(looking.groups.map(({ key, parameters: of }) => [key, of])).toEqual([
      ['one', ['a']],
      ['two', ['b', 'c']],
    ]);
    tree.dispose([looking.gradients, parameters]);
    double.dispose();
  });

  it.each<
    [
      string,
      GradientStrategy,
      (p: { a: np.Array; b: np.Array }) => Record<string, np.Array>,
      string,
      RegExp,
    ]
  >([
    [
      'an unreached parameter',
      mgda(),
      ({ a, b }) => (b.dispose(), { one: np.sum(a) }),
      'unreached-variable',
      /reaches b\.$/,
    ],
    [
      'a loss that is no scalar',
      mgda(),
      ({ a, b }) => ({ one: a, two: np.sum(b) }),
      'invalid-objective',
      /`one` of other shapes/,
    ],
    [
      'several batches',
      modo(),
      ({ a, b }) => ({ one: np.sum(a), two: np.sum(b) }),
      'unsupported',
      /`modo` needs 3 batches/,
    ],
    [
      'a loss that is NaN',
      mgda(),
      ({ a, b }) => ({ one: np.sum(np.log(a.sub(2)).mul(b)), two: np.sum(np.array([1])) }),
      'non-finite',
      /one/,
    ],
  ])('refuses %s, and keeps no array alive', async (_, strategy, forward, code, message) => {
    const parameters = { a: np.ones([2]), b: np.ones([2]) };
    await expect(integrateGradients(strategy, forward, parameters)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
    expect([parameters.a.refCount, parameters.b.refCount]).toEqual([1, 1]);
    tree.dispose(parameters);
  });

  it('refuses parameters that are not float32', async () => {
    const parameters = { steps: np.array([1, 2], { dtype: np.int32 }) };
    await expect(
      integrateGradients(mgda(), ({ steps }) => ({ one: np.sum(steps) }), parameters),
    ).rejects.toMatchObject({ code: 'unsupported' });
    tree.dispose(parameters);
  });
});
