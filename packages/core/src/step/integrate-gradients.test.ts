import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import {
  expectConstantMemory,
  multilayerPerceptron,
  startTestBackend,
  variableOf,
} from '@multigrad/test-support';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { MultigradError } from '../base/errors.ts';
import { buildIntegration, integrateGradients } from './integrate-gradients.ts';
import type { IntegrationState } from '../network/integration-state.ts';
import { type Objectives, withFeatures } from '../network/objectives.ts';
import { fixedWeights, rankByTensor, unitSum } from '../testing/strategies.ts';

beforeAll(async () => {
  await startTestBackend();
});

/** A shared variable and a head for each of two tasks: small enough to differentiate by hand. */
function twoTasks() {
  const shared = variableOf(() => tf.tensor1d([1, 2]), 'shared/w');
  const left = variableOf(() => tf.scalar(3), 'left/w');
  const right = variableOf(() => tf.scalar(-1), 'right/w');
  const objectives = () => {
    const feature = tf.mul(shared, shared);
    return {
      left: tf.mul(left, tf.sum(feature)),
      right: tf.mul(right, tf.sum(shared)),
    };
  };
  return {
    variables: [shared, left, right],
    objectives,
    dispose: () => tf.dispose([shared, left, right]),
  };
}

const values = (gradient: tf.Tensor | undefined): number[] => [...gradient!.dataSync()];

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!MultigradError.isInstance(error))
    throw new Error(`expected a MultigradError, got ${String(error)}`);
  return error.code;
}

describe('integrateGradients', () => {
  it('finds the groups from the graph and integrates shared parameters only', async () => {
    await expectConstantMemory(async () => {
      const { variables, objectives, dispose } = twoTasks();
      const result = await integrateGradients(unitSum(), objectives, variables);
      expect(result.groups.map(({ key, objectives: names }) => [key, names])).toEqual([
        ['left+right', ['left', 'right']],
        ['left', ['left']],
        ['right', ['right']],
      ]);
      // g_left = left · 2 shared = (6, 12); g_right = right · 1 = (−1, −1)
      const [a, b] = [Math.hypot(6, 12), Math.SQRT2];
      expect(values(result.gradients['shared/w'])[0]).toBeCloseTo(6 / a - 1 / b, 5);
      expect(values(result.gradients['shared/w'])[1]).toBeCloseTo(12 / a - 1 / b, 5);
      expect(values(result.gradients['left/w'])).toEqual([5]);
      expect(values(result.gradients['right/w'])).toEqual([3]);
      const [shared] = result.groups;
      expect(shared?.norms?.[0]).toBeCloseTo(a, 5);
      expect(shared?.cosines?.[0]?.[1]).toBeCloseTo(-18 / (a * b), 6);
      expect(shared?.conflict).toBe(true);
      expect(result.losses).toEqual({ left: 15, right: -3 });
      expect(result.backwardPasses).toBe(2);
      tf.dispose(result.gradients);
      dispose();
    });
  });

  it('takes one backward pass for a strategy that sees no gradients, and weights its heads too', async () => {
    await expectConstantMemory(async () => {
      const { variables, objectives, dispose } = twoTasks();
      const result = await integrateGradients(fixedWeights({ left: 0.5 }), objectives, variables);
      expect(result.backwardPasses).toBe(1);
      expect(result.observed).toBe(false);
      expect(values(result.gradients['shared/w'])).toEqual([2, 5]);
      expect(values(result.gradients['left/w'])).toEqual([2.5]);
      expect(result.groups[0]).toMatchObject({ norms: null, cosines: null, weights: [0.5, 1] });
      tf.dispose(result.gradients);
      dispose();
    });
  });

  it('gives exactly the gradient of the plain sum when one backward pass is enough', async () => {
    await expectConstantMemory(async () => {
      const { variables, losses, dispose } = multilayerPerceptron();
      const result = await integrateGradients(fixedWeights(), losses, variables);
      const expected = tf.variableGrads(() => {
        const { a, b, c } = losses();
        return tf.addN([a, b, c]);
      }, [...variables]);
      for (const { name } of variables) {
        const found = values(result.gradients[name]);
        values(expected.grads[name]).forEach((value, i) => expect(found[i]).toBeCloseTo(value, 6));
      }
      tf.dispose([result.gradients, expected.grads, expected.value]);
      dispose();
    });
  });

  it('observes without changing a bit of the update', async () => {
    await expectConstantMemory(async () => {
      const { variables, losses, dispose } = multilayerPerceptron();
      const plain = await integrateGradients(fixedWeights(), losses, variables);
      const observed = await integrateGradients(fixedWeights(), losses, variables, {
        observe: true,
      });
      for (const { name } of variables) {
        expect(values(observed.gradients[name])).toEqual(values(plain.gradients[name]));
      }
      expect([plain.backwardPasses, observed.backwardPasses]).toEqual([1, 4]);
      expect(observed.observed).toBe(true);
      expect(observed.groups[0]?.norms).toHaveLength(3);
      tf.dispose([plain.gradients, observed.gradients]);
      dispose();
    });
  });

  it('leaves out an objective of weight 0: what only it reaches gets no update', async () => {
    await expectConstantMemory(async () => {
      const { variables, objectives, dispose } = twoTasks();
      const result = await integrateGradients(fixedWeights({ right: 0 }), objectives, variables);
      expect(values(result.gradients['shared/w'])).toEqual([6, 12]);
      expect(result.gradients['right/w']).toBeNull();
      tf.dispose(result.gradients);
      dispose();
    });
  });

  it('hands each tensor its own weights, and losses to who asks for them', async () => {
    await expectConstantMemory(async () => {
      const v = variableOf(() => tf.scalar(1), 'v');
      const w = variableOf(() => tf.scalar(1), 'w');
      const result = await integrateGradients(
        rankByTensor(),
        () => ({
          a: tf.add(tf.mul(v, 2), w),
          b: tf.add(tf.mul(v, 3), tf.mul(w, 5)),
        }),
        [v, w],
      );
      expect(values(result.gradients['v'])).toEqual([2 * 1 + 3 * 2]);
      expect(values(result.gradients['w'])).toEqual([1 * 11 + 5 * 12]);
      expect(result.groups[0]?.weights).toEqual([3, 8]);
      tf.dispose([result.gradients, v, w]);
    });
  });

  it('calls the forward function once a step', async () => {
    const { variables, objectives, dispose } = twoTasks();
    const forward = vi.fn(objectives);
    const result = await integrateGradients(unitSum(), forward, variables);
    expect(forward).toHaveBeenCalledTimes(1);
    tf.dispose(result.gradients);
    dispose();
  });

  it('carries the state of each group from step to step, as JSON', async () => {
    await expectConstantMemory(async () => {
      const { variables, objectives, dispose } = twoTasks();
      let state: IntegrationState | undefined;
      for (let step = 0; step < 3; step += 1) {
        const result = await integrateGradients(unitSum(), objectives, variables, { state });
        expect(result.step).toBe(step);
        state = JSON.parse(JSON.stringify(result.state)) as IntegrationState;
        tf.dispose(result.gradients);
      }
      expect(state?.groups.map((group) => group.state)).toEqual([3, null, null]);
      expect(state?.step).toBe(3);
      dispose();
    });
  });

  it('shrinks a group to the objectives present; one alone gives its plain gradient', async () => {
    await expectConstantMemory(async () => {
      const { variables, objectives, dispose } = twoTasks();
      const state = buildIntegration(unitSum(), [objectives], variables);
      const onlyLeft = (): Objectives<'left' | 'right'> => ({
        left: objectives().left,
        right: null,
      });
      const result = await integrateGradients(unitSum(), onlyLeft, variables, { state });
      expect(values(result.gradients['shared/w'])).toEqual([6, 12]);
      expect(result.gradients['right/w']).toBeNull();
      expect(Object.keys(result.gradients)).toEqual(['shared/w', 'left/w', 'right/w']);
      expect(result.losses).toEqual({ left: 15 });
      expect(result.groups.map(({ key }) => key)).toEqual(['left+right', 'left']);
      expect(result.backwardPasses).toBe(1);
      tf.dispose(result.gradients);
      dispose();
    });
  });

  it('builds from the union of several batches', async () => {
    await expectConstantMemory(async () => {
      const { variables, objectives, dispose } = twoTasks();
      const left = (): Objectives => ({ left: objectives().left });
      const right = (): Objectives => ({ right: objectives().right });
      expect(() => buildIntegration(unitSum(), [left], variables)).toThrow(
        /`right\/w` reached by none/,
      );
      const state = buildIntegration(unitSum(), [left, right], variables);
      expect(state.groups.map(({ key }) => key)).toEqual(['left+right', 'left', 'right']);
      const result = await integrateGradients(unitSum(), right, variables, { state });
      expect(values(result.gradients['shared/w'])).toEqual([-1, -1]);
      tf.dispose(result.gradients);
      dispose();
    });
  });

  it("weights heads as groups of one with `singles: 'weighted'`", async () => {
    await expectConstantMemory(async () => {
      const { variables, objectives, dispose } = twoTasks();
      const result = await integrateGradients(unitSum(), objectives, variables, {
        singles: 'weighted',
      });
      expect(values(result.gradients['left/w'])[0]).toBeCloseTo(1, 6);
      tf.dispose(result.gradients);
      dispose();
    });
  });

  it('scales gradients by the loss weights before the strategy sees them', async () => {
    await expectConstantMemory(async () => {
      const { variables, objectives, dispose } = twoTasks();
      const lossWeights = { left: 2 };
      const plain = await integrateGradients(fixedWeights(), objectives, variables, {
        lossWeights,
      });
      expect(values(plain.gradients['shared/w'])).toEqual([11, 23]);
      const unit = await integrateGradients(unitSum(), objectives, variables, { lossWeights });
      expect(unit.groups[0]?.norms?.[0]).toBeCloseTo(2 * Math.hypot(6, 12), 4);
      expect(unit.losses.left).toBe(15);
      expect(
        await codeOf(
          integrateGradients(unitSum(), objectives, variables, { lossWeights: { left: -1 } }),
        ),
      ).toBe('invalid-option');
      tf.dispose([plain.gradients, unit.gradients]);
      dispose();
    });
  });

  it('measures Gramians of gradients of any float32 size', async () => {
    await expectConstantMemory(async () => {
      for (const scale of [1e-30, 1e-15, 1, 1e15, 1e30]) {
        const v = variableOf(() => tf.tensor1d([1, 1]));
        const result = await integrateGradients(
          unitSum(),
          () => ({
            a: tf.sum(tf.mul(v, tf.tensor1d([3 * scale, 4 * scale]))),
            b: tf.sum(tf.mul(v, tf.tensor1d([-4 / scale, 3 / scale]))),
          }),
          [v],
        );
        const [group] = result.groups;
        expect(group!.norms![0]! / scale).toBeCloseTo(5, 5);
        expect(group!.norms![1]! * scale).toBeCloseTo(5, 5);
        expect(group!.cosines![0]![1]).toBeCloseTo(0, 6);
        tf.dispose([result.gradients, v]);
      }
    });
  });

  it('keeps tensors of the caller alive that the forward function returns', async () => {
    const v = variableOf(() => tf.scalar(2));
    const result = await integrateGradients(unitSum(), () => ({ a: v, b: tf.square(v) }), [v]);
    expect(v.isDisposed).toBe(false);
    tf.dispose([result.gradients, v]);
  });
});

describe('integrateGradients at the level of features', () => {
  function network() {
    const trunk = variableOf(
      () =>
        tf.tensor2d([
          [1, -1],
          [0.5, 2],
        ]),
      'trunk/w',
    );
    const heads = ['a', 'b'].map((name, k) =>
      variableOf(() => tf.tensor2d([[k + 1], [-1]]), `${name}/w`),
    );
    const input = tf.tensor2d([
      [1, 2],
      [3, -1],
      [0.5, 0.5],
    ]);
    const forward = () => {
      const feature = tf.relu(tf.matMul(input, trunk as unknown as tf.Tensor2D));
      const [a, b] = heads.map((head) =>
        tf.mean(tf.square(tf.matMul(feature, head as unknown as tf.Tensor2D))),
      );
      return { feature, losses: { a: a, b: b } };
    };
    return { trunk, heads, forward, dispose: () => tf.dispose([trunk, ...heads, input]) };
  }

  it('equals the weighted sum of parameter gradients for the weights found', async () => {
    await expectConstantMemory(async () => {
      const { trunk, heads, forward, dispose } = network();
      const variables = [trunk, ...heads];
      const result = await integrateGradients(
        unitSum(),
        () => {
          const { feature, losses } = forward();
          return withFeatures(losses, { trunk: feature });
        },
        variables,
        { level: 'features' },
      );
      const [group] = result.groups;
      expect(group).toMatchObject({ key: 'trunk', objectives: ['a', 'b'] });
      const expected = tf.variableGrads(() => {
        const { losses } = forward();
        return tf.add(tf.mul(losses.a!, group!.weights[0]!), tf.mul(losses.b!, group!.weights[1]!));
      }, [trunk]);
      const found = values(result.gradients['trunk/w']);
      values(expected.grads['trunk/w']).forEach((value, i) =>
        expect(found[i]).toBeCloseTo(value, 5),
      );
      expect(result.gradients['a/w']).not.toBeNull();
      expect(result.backwardPasses).toBe(3);
      tf.dispose([result.gradients, expected.grads, expected.value]);
      dispose();
    });
  });

  it.each([
    [
      'a way past the cut',
      /past it/,
      (v: tf.Tensor, f: tf.Tensor) => withFeatures({ a: tf.add(tf.sum(f), tf.sum(v)) }, { f }),
    ],
    [
      'features that reach each other',
      /must not reach each other/,
      (_: tf.Tensor, f: tf.Tensor) => {
        const g = tf.square(f);
        return withFeatures({ a: tf.sum(g) }, { f, g });
      },
    ],
    [
      'a variable behind two features',
      /behind `f` and `g`/,
      (v: tf.Tensor, f: tf.Tensor) => {
        const g = tf.square(v);
        return withFeatures({ a: tf.sum(tf.add(f, g)) }, { f, g });
      },
    ],
    [
      'a feature without variables',
      /none behind it/,
      (v: tf.Tensor) => {
        const f = tf.tensor1d([1]);
        return withFeatures({ a: tf.sum(tf.mul(v, f)) }, { f });
      },
    ],
    ['no features', /without features/, (v: tf.Tensor) => ({ a: tf.sum(v) })],
    [
      'shared variables behind no feature',
      /behind none/,
      (_: tf.Tensor, f: tf.Tensor) => {
        return withFeatures({ a: tf.sum(tf.mul(f, other)), b: tf.sum(tf.square(other)) }, { f });
      },
    ],
  ])('refuses %s', async (_, message, forward) => {
    const v = variableOf(() => tf.tensor1d([1, 2]));
    await expectConstantMemory(async () => {
      const call = integrateGradients(unitSum(), () => forward(v, tf.square(v)), [v, other], {
        level: 'features',
      });
      await expect(call).rejects.toThrow(message);
    });
    v.dispose();
  });

  let other: tf.Variable;
  beforeAll(() => {
    other = variableOf(() => tf.tensor1d([1, 2]));
  });

  it('refuses strategies that weight each tensor', async () => {
    const v = variableOf(() => tf.scalar(1));
    const call = integrateGradients(rankByTensor(), () => ({ a: tf.square(v) }), [v], {
      level: 'features',
    });
    expect(await codeOf(call)).toBe('unsupported');
    v.dispose();
  });
});

describe('what integrateGradients refuses', () => {
  const bad: [string, string, RegExp, (v: tf.Variable) => unknown][] = [
    [
      'an objective that is no scalar',
      'invalid-objective',
      /`a` should be a scalar.*shape \[2\]/,
      (v) => ({ a: tf.square(v) }),
    ],
    ['no objective', 'invalid-objective', /empty record/, () => ({})],
    ['only absent objectives', 'invalid-objective', /only absent ones: a/, () => ({ a: null })],
    ['a promise', 'invalid-objective', /promise|Promise/, (v) => ({ a: Promise.resolve(v) })],
    [
      'an objective that reaches nothing',
      'unreached-variable',
      /`b` should depend/,
      (v) => ({ a: tf.sum(v), b: tf.scalar(1) }),
    ],
    [
      'a NaN loss',
      'non-finite',
      /loss of objective `b` should be finite. Found NaN at step 0/,
      (v) => ({ a: tf.sum(v), b: tf.mul(tf.sum(v), NaN) }),
    ],
    [
      'an infinite gradient',
      'non-finite',
      /Objective `b` has a gradient that is not finite for `bad\/v`/,
      (v) => ({ a: tf.sum(v), b: tf.sum(tf.sqrt(tf.sub(v, v))) }),
    ],
  ];
  it('a gradient that is not finite is named, also where limits multiply it with others', async () => {
    const [sound, broken] = ['sound', 'broken'].map((name) =>
      variableOf(() => tf.tensor1d([0, 0]), `limited/${name}`),
    ) as [tf.Variable, tf.Variable];
    const forward = (): Objectives => ({
      a: tf.add(tf.sum(sound), tf.sum(broken)),
      b: tf.add(tf.sum(sound), tf.sum(tf.sqrt(broken))),
    });
    await expectConstantMemory(async () => {
      for (const limits of [{ value: 1 }, { groupNorm: 1 }, { globalNorm: 1 }]) {
        await expect(
          integrateGradients(unitSum(), forward, [sound, broken], { clipObjectives: limits }),
        ).rejects.toThrow('Objective `b` has a gradient that is not finite for `limited/broken`');
      }
    });
    tf.dispose([sound, broken]);
  });

  for (const strategy of [unitSum(), fixedWeights()]) {
    it.each(bad)(`%s (${strategy.name})`, async (_, code, message, forward) => {
      const v = variableOf(() => tf.tensor1d([1, 2]), 'bad/v');
      await expectConstantMemory(async () => {
        const call = integrateGradients(strategy, () => forward(v) as Objectives, [v]);
        const outcome = call.catch((error: unknown) => error);
        await expect(call).rejects.toThrow(message);
        const error = await outcome;
        expect(MultigradError.isInstance(error) && error.code).toBe(code);
      });
      v.dispose();
    });
  }

  it('no variables, a variable named twice, a variable that nothing reaches', async () => {
    const v = variableOf(() => tf.scalar(1), 'v0');
    const w = variableOf(() => tf.scalar(1), 'w0');
    const forward = () => ({ a: tf.square(v) });
    await expectConstantMemory(async () => {
      expect(await codeOf(integrateGradients(unitSum(), forward, []))).toBe('invalid-argument');
      expect(await codeOf(integrateGradients(unitSum(), forward, [v, v]))).toBe('invalid-argument');
      expect(await codeOf(integrateGradients(unitSum(), forward, [v, w]))).toBe(
        'unreached-variable',
      );
    });
    tf.dispose([v, w]);
  });

  it('an objective or a reach that was not there at build, naming both', async () => {
    const { variables, objectives, dispose } = twoTasks();
    const state = buildIntegration(unitSum(), [objectives], variables);
    await expectConstantMemory(async () => {
      const more = () => ({ ...objectives(), third: tf.sum(variables[0]!) });
      await expect(integrateGradients(unitSum(), more, variables, { state })).rejects.toThrow(
        /`third` is not among/,
      );
      const crossed = () => ({
        ...objectives(),
        right: tf.mul(variables[1]!, tf.sum(variables[0]!)),
      });
      await expect(integrateGradients(unitSum(), crossed, variables, { state })).rejects.toThrow(
        /`left\/w`.*`right` reaches it too/,
      );
      await expect(
        integrateGradients(unitSum(), objectives, variables.slice(1), { state }),
      ).rejects.toThrow(/`shared\/w`/);
      await expect(
        integrateGradients(fixedWeights(), objectives, variables, { state }),
      ).rejects.toThrow(/strategy differs/);
    });
    dispose();
  });

  it('a second step on the same variables while one is in flight, but not on others', async () => {
    await expectConstantMemory(async () => {
      const { variables, objectives, dispose } = twoTasks();
      const elsewhere = variableOf(() => tf.scalar(4));
      const first = integrateGradients(unitSum(), objectives, variables);
      expect(await codeOf(integrateGradients(unitSum(), objectives, variables))).toBe(
        'interleaved-call',
      );
      const beside = await integrateGradients(unitSum(), () => ({ a: tf.square(elsewhere) }), [
        elsewhere,
      ]);
      const result = await first;
      const again = await integrateGradients(unitSum(), objectives, variables);
      tf.dispose([result.gradients, beside.gradients, again.gradients, elsewhere]);
      dispose();
    });
  });

  it('weights of the wrong number or not finite, naming the strategy', async () => {
    const { variables, objectives, dispose } = twoTasks();
    await expectConstantMemory(async () => {
      const wrong = (weights: number[]) => ({
        ...unitSum(),
        integrate: () => ({ weights: Float64Array.from(weights), state: 0 }),
      });
      await expect(integrateGradients(wrong([1]), objectives, variables)).rejects.toThrow(
        /`unit-sum` should return one weight/,
      );
      await expect(integrateGradients(wrong([1, NaN]), objectives, variables)).rejects.toThrow(
        /Found NaN for objective `right`/,
      );
      await expect(integrateGradients(wrong([1e39, 1]), objectives, variables)).rejects.toThrow(
        /float32/,
      );
    });
    dispose();
  });
});
