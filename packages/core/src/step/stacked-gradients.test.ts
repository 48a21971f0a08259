import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import {
  expectConstantMemory,
  expectClose,
  startTestBackend,
  variableOf,
} from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { integrateMatrix } from '../contract/integrate-matrix.ts';
import type { GradientStrategy } from '../contract/strategy.ts';
import type { GradientMemory } from '../rows/gradient-memory.ts';
import { integrateGradients } from './integrate-gradients.ts';
import type { IntegrationState } from '../network/integration-state.ts';

beforeAll(async () => {
  await startTestBackend();
});

const single = (objectives: readonly string[], value: number): Float64Array =>
  new Float64Array(objectives.length).fill(value);

/** Follows the gradients with a running average; its update is the average, weighed by the new ones' length. */
const averaging: GradientStrategy = {
  specification: 1,
  name: 'averaging',
  needs: { gradients: 'gramian', memory: true },
  init: () => null,
  integrate({ objectives, stacked }, state) {
    const size = objectives.length;
    const lengths = Float64Array.from(objectives, (_, k) =>
      Math.sqrt(stacked.values[(size + k) * stacked.size + size + k]!),
    );
    return {
      weights: single(objectives, 0.25),
      memoryUpdate: {
        weights: lengths.map((length) => 0.75 + length),
        keep: single(objectives, 0.75),
        add: single(objectives, 0.25),
      },
      state,
    };
  },
};

/** Weighs gradients by what the memory of their squares makes of them. */
const bySquares: GradientStrategy = {
  specification: 1,
  name: 'by-squares',
  needs: { gradients: 'gramian', memory: 'squares' },
  init: () => null,
  integrate({ objectives, stacked }, state) {
    const size = objectives.length;
    const weights = Float64Array.from(
      objectives,
      (_, k) => stacked.values[(size + k) * stacked.size + size + k]!,
    );
    return { weights, state };
  },
};

/** Weighs the gradients of the third batch by their products with those of the first. */
const crossing: GradientStrategy = {
  specification: 1,
  name: 'crossing',
  needs: { gradients: 'gramian', batches: 3 },
  init: () => null,
  integrate({ objectives, stacked }, state) {
    const size = objectives.length;
    const third = Float64Array.from(objectives, (_, k) => stacked.values[2 * size + k]!);
    return {
      weights: single(objectives, 1),
      batchWeights: [single(objectives, -1), third],
      state,
    };
  },
};

/** The greatest of the gradients' entries, a fifth of the times the smallest. */
const extreme: GradientStrategy = {
  specification: 1,
  name: 'extreme',
  needs: { gradients: 'rows' },
  init: () => null,
  integrate: ({ objectives, step }, state) => ({
    weights: single(objectives, 1),
    state,
    combine(rows, algebra) {
      const high = rows.reduce((a, b) => algebra.maximum(a, b));
      const low = rows.reduce((a, b) => algebra.minimum(a, b));
      const fifth = algebra.scale(algebra.abs(algebra.divide(high, high)), 0.2);
      const turned = algebra.greater(fifth, algebra.uniform(step));
      return algebra.add(high, algebra.multiply(turned, algebra.subtract(low, high)));
    },
  }),
};

const gradientsAt = (step: number, batch = 0): { a: number[]; b: number[] } => ({
  a: Array.from({ length: 6 }, (_, c) => Math.sin(3 * c + step + 7 * batch)),
  b: Array.from({ length: 6 }, (_, c) => Math.cos(2 * c - step + 5 * batch)),
});

/** Linear objectives on two variables, whose gradients are the given rows cut in 4 and 2. */
function forwardOf(
  variables: readonly tf.Variable[],
  rows: Readonly<Record<string, readonly number[]>>,
) {
  return () =>
    Object.fromEntries(
      Object.entries(rows).map(([name, row]) => [
        name,
        tf.add(
          tf.sum(tf.mul(variables[0]!, tf.tensor1d(row.slice(0, 4)))),
          tf.sum(tf.mul(variables[1]!, tf.tensor1d(row.slice(4)))),
        ),
      ]),
    );
}

const tensors = [
  { name: 'first', size: 4 },
  { name: 'second', size: 2 },
];

async function withVariables(body: (variables: tf.Variable[]) => Promise<void>): Promise<void> {
  await expectConstantMemory(async () => {
    const variables = tensors.map(({ name, size }) => variableOf(() => tf.zeros([size]), name));
    try {
      await body(variables);
    } finally {
      tf.dispose(variables);
    }
  });
}

function flat(variables: readonly tf.Variable[], gradients: tf.NamedTensorMap): number[] {
  return variables.flatMap(({ name }) => [...gradients[name]!.dataSync()]);
}

describe('memory of gradients', () => {
  it.each([
    [averaging, 1],
    [bySquares, 1],
    [bySquares, 2 ** 12],
  ])(
    'follow as on a matrix, also where an objective is absent for a step',
    async (strategy, lossScale) => {
      await withVariables(async (variables) => {
        let state: IntegrationState | undefined;
        let memory: GradientMemory | undefined;
        let memoryRows: ReadonlyMap<string, Float64Array> | undefined;
        for (let step = 0; step < 5; step += 1) {
          const { a, b } = gradientsAt(step);
          const rows = step === 2 ? { b } : { a, b };
          const options = { state, memory, singles: 'weighted', lossScale } as const;
          const forward = forwardOf(variables, rows);
          const result = await integrateGradients(strategy, forward, variables, options);
          const expected = integrateMatrix(strategy, Object.values(rows), {
            objectives: Object.keys(rows),
            ...(memoryRows === undefined ? {} : { memory: memoryRows }),
          });
          expectClose(flat(variables, result.gradients), expected.update);
          tf.dispose(result.gradients);
          memory?.dispose();
          ({ state, memory } = result);
          memoryRows = expected.memory;
          for (const name of ['a', 'b']) {
            const own = variables.flatMap((v) => [...memory!.get(v.name, name)!.dataSync()]);
            expectClose(own, memoryRows!.get(name)!);
          }
        }
        memory?.dispose();
      });
    },
  );

  it('are asked for after the first step, and kept where the step fails', async () => {
    await withVariables(async (variables) => {
      const forward = forwardOf(variables, gradientsAt(0));
      const { gradients, state, memory } = await integrateGradients(averaging, forward, variables);
      tf.dispose(gradients);
      await expect(integrateGradients(averaging, forward, variables, { state })).rejects.toThrow(
        'Option `memory` should be what step 0 returned as `memory`: strategy `averaging` keeps a memory.',
      );
      const broken = forwardOf(variables, { a: [NaN, 0, 0, 0, 0, 0], b: [1, 1, 1, 1, 1, 1] });
      await expect(
        integrateGradients(averaging, broken, variables, { state, memory }),
      ).rejects.toThrow('should be finite');
      expect(memory!.tensors().length).toBe(4);
      expect(memory!.tensors().some(({ value }) => value.isDisposed)).toBe(false);
      memory!.dispose();
    });
  });
});

describe('independent batches', () => {
  it('give what they give on matrices, and mean losses', async () => {
    await withVariables(async (variables) => {
      const jacobians = [0, 1, 2].map((batch) => gradientsAt(0, batch));
      const { gradients, backwardPasses, losses } = await integrateGradients(
        crossing,
        jacobians.map((rows) => forwardOf(variables, rows)),
        variables,
      );
      const [first, ...batches] = jacobians.map(({ a, b }) => [a, b]);
      expectClose(
        flat(variables, gradients),
        integrateMatrix(crossing, first!, { batches }).update,
      );
      expect(backwardPasses).toBe(6);
      expect(losses).toEqual({ a: 0, b: 0 });
      tf.dispose(gradients);
    });
  });

  it('leave a head the mean of its gradients', async () => {
    await withVariables(async (variables) => {
      const forwards = [1, 2, 6].map((factor) => () => ({
        a: tf.sum(tf.mul(variables[0]!, factor)),
        b: tf.sum(variables[1]!),
      }));
      const { gradients } = await integrateGradients(crossing, forwards, variables);
      expectClose(flat(variables, gradients), [3, 3, 3, 3, 1, 1]);
      tf.dispose(gradients);
    });
  });

  it('are counted, and must show the same objectives', async () => {
    await withVariables(async (variables) => {
      const { a, b } = gradientsAt(0);
      const both = forwardOf(variables, { a, b });
      await expect(integrateGradients(crossing, both, variables)).rejects.toThrow(
        'Strategy `crossing` takes 3 forward functions, one for each independent batch. Found 1.',
      );
      const some = forwardOf(variables, { a });
      await expect(integrateGradients(crossing, [both, both, some], variables)).rejects.toThrow(
        'should show the same objectives in the same order: `a`, `b`. Found `a`.',
      );
      await expect(
        integrateGradients(crossing, [both, both, both], variables, { level: 'features' }),
      ).rejects.toThrow('combines gradients of several batches');
    });
  });
});

describe('updates that read single coordinates', () => {
  it('are the same on tensors and on arrays, random ones too', async () => {
    await withVariables(async (variables) => {
      const named = new Map(variables.map((variable, t) => [tensors[t]!.name, variable]));
      let state: IntegrationState | undefined;
      let turned = 0;
      for (let step = 0; step < 20; step += 1) {
        const { a, b } = gradientsAt(step);
        const result = await integrateGradients(extreme, forwardOf(variables, { a, b }), named, {
          state,
        });
        const expected = integrateMatrix(extreme, [a, b], { step, tensors }).update;
        expectClose(flat(variables, result.gradients), expected);
        turned += a.filter(
          (value, c) => Math.abs(expected[c]! - Math.max(value, b[c]!)) > 0,
        ).length;
        tf.dispose(result.gradients);
        ({ state } = result);
      }
      expect(turned).toBeGreaterThan(8);
      expect(turned).toBeLessThan(48);
    });
  });
});
