import {
  expectConstantMemory,
  expectGradientByDifferences,
  startTestedBackend,
  testedBackends,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { type layers, type LayerVariable } from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { ChannelGate } from './channel-gate.ts';
import { CrossStitch } from './cross-stitch.ts';
import { Doubled } from './doubled.ts';
import { ExpertSelection, SelectionPenalty } from './expert-selection.ts';
import { FoldFrames, UnfoldFrames } from './frames.ts';
import { GlobalAverage } from './global-average.ts';
import { LayerNormalization } from './layer-normalization.ts';
import { Mixture } from './mixture.ts';
import { MultiHeadAttention } from './multi-head-attention.ts';
import { PositionEmbedding } from './position-embedding.ts';

type Numbers = number[] | Numbers[];

interface Case {
  readonly make: () => layers.Layer;
  /** Shapes of the inputs. */
  readonly shapes: number[][];
  /** The definition in float64, from inputs and weights by name. */
  readonly reference: (inputs: never, weights: never) => Numbers;
}

const attention = { name: 'a', width: 6, heads: 2, seed: 3, initialisation: 'pytorch' } as const;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const sum = (values: readonly number[]): number => values.reduce((total, v) => total + v, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

/** `x W + b` for a matrix x. */
function linear(x: number[][], kernel: number[][], bias: number[]): number[][] {
  return x.map((row) => bias.map((b, j) => b + sum(row.map((v, i) => v * kernel[i]![j]!))));
}

function attend(
  [queries, context]: [number[][][], number[][][]],
  weights: Record<string, never>,
): number[][][] {
  const project = (x: number[][], role: string): number[][] =>
    linear(x, weights[`${role}/kernel`]!, weights[`${role}/bias`]!);
  return queries.map((sample, n) => {
    const [q, k, v] = [
      project(sample, 'query'),
      project(context[n]!, 'key'),
      project(context[n]!, 'value'),
    ];
    const joined = q.map((row) =>
      row.map((_, c) => {
        const head = c < 3 ? [0, 1, 2] : [3, 4, 5];
        const scores = k.map((key) =>
          Math.exp(sum(head.map((d) => row[d]! * key[d]!)) / Math.sqrt(3)),
        );
        return sum(scores.map((score, s) => (score / sum(scores)) * v[s]![c]!));
      }),
    );
    return project(joined, 'output');
  });
}

/** What a selector gives each of three experts, from the logits of two digits. */
function selector([high, low]: readonly number[], gamma: number): number[] {
  const step = (t: number): number =>
    Math.abs(t) >= gamma / 2
      ? Number(t > 0)
      : (-2 * t ** 3) / gamma ** 3 + (3 * t) / (2 * gamma) + 0.5;
  const [a, b] = [step(high!), step(low!)];
  return [(1 - a) * (1 - b), (1 - a) * b, a * (1 - b)];
}

const cases: Record<string, Case> = {
  'global average of a map': {
    make: () => new GlobalAverage(),
    shapes: [[2, 2, 3, 2]],
    reference: ([x]: number[][][][][]) =>
      x!.map((image) => [0, 1].map((c) => mean(image.flat().map((pixel) => pixel[c]!)))),
  },
  'global average of a vector': {
    make: () => new GlobalAverage(),
    shapes: [[2, 3]],
    reference: ([x]: number[][][]) => x!,
  },
  'channel gate': {
    make: () => new ChannelGate(),
    shapes: [
      [2, 3, 2],
      [2, 2],
    ],
    reference: ([x, e]: [number[][][], number[][]]) =>
      x.map((steps, n) => steps.map((row) => row.map((v, c) => 2 * sigmoid(e[n]![c]!) * v))),
  },
  'layer normalisation': {
    make: () => new LayerNormalization(),
    shapes: [[2, 3, 4]],
    reference: ([x]: number[][][][], { gamma, beta }: Record<string, number[]>) =>
      x!.map((steps) =>
        steps.map((row) => {
          const variance = mean(row.map((v) => (v - mean(row)) ** 2));
          return row.map(
            (v, c) => (gamma![c]! * (v - mean(row))) / Math.sqrt(variance + 1e-5) + beta![c]!,
          );
        }),
      ),
  },
  'self-attention': {
    make: () => new MultiHeadAttention(attention),
    shapes: [[2, 3, 4]],
    reference: ([x]: number[][][][], weights: Record<string, never>) => attend([x!, x!], weights),
  },
  'cross-attention': {
    make: () => new MultiHeadAttention(attention),
    shapes: [
      [2, 3, 4],
      [2, 2, 5],
    ],
    reference: (inputs: [number[][][], number[][][]], weights: Record<string, never>) =>
      attend(inputs, weights),
  },
  'position embedding': {
    make: () => new PositionEmbedding({ name: 'p', seed: 2 }),
    shapes: [[2, 3, 4]],
    reference: ([x]: number[][][][], { embedding }: Record<string, number[][]>) =>
      x!.map((steps) => steps.map((row, t) => row.map((v, c) => v + embedding![t]![c]!))),
  },
  'cross-stitch': {
    make: () =>
      new CrossStitch({
        name: 's',
        streams: [{ name: 'a' }, { name: 'b' }],
        own: { name: 'b' },
        share: 0.2,
      }),
    shapes: [
      [2, 2, 3],
      [2, 2, 3],
    ],
    reference: ([x, y]: [number[][][], number[][][]], { a, b }: Record<string, number[]>) =>
      x.map((rows, n) =>
        rows.map((row, t) => row.map((v, c) => a![c]! * v + b![c]! * y[n]![t]![c]!)),
      ),
  },
  'doubled maps': {
    make: () => new Doubled({ name: 'double' }),
    shapes: [[2, 3, 2, 2]],
    reference: ([x]: [number[][][][]]) =>
      x.map((sample) =>
        Array.from({ length: 6 }, (_, row) =>
          Array.from({ length: 4 }, (__, column) => sample[row >> 1]![column >> 1]!),
        ),
      ),
  },
  'expert selection': {
    make: () => new ExpertSelection({ name: 'gate', experts: 3, gamma: 4 }),
    shapes: [
      [5, 2],
      [5, 4],
    ],
    reference: ([weights, z]: [number[][], number[][]]) =>
      z.map((row, n) => {
        const [one, two] = [selector(row.slice(0, 2), 4), selector(row.slice(2), 4)];
        return one.map((value, e) => weights[n]![0]! * value + weights[n]![1]! * two[e]!);
      }),
  },
  'penalty of a selection': {
    make: () => new SelectionPenalty({ name: 'penalty', experts: 3, gamma: 6, weight: 0.3 }),
    shapes: [[5, 4]],
    reference: ([z]: [number[][]]) =>
      z.map((row) => {
        const all = [selector(row.slice(0, 2), 6), selector(row.slice(2), 6)];
        const entropies = all.flat().map((r) => -r * Math.log(r + 1e-6));
        return [0.3 * sum(entropies) + sum(all.map((r) => 1 / sum(r)))];
      }),
  },
  'mixture of experts': {
    make: () => new Mixture(),
    shapes: [
      [2, 3],
      [2, 4],
      [2, 4],
      [2, 4],
    ],
    reference: ([gate, ...experts]: [number[][], ...number[][][]]) =>
      gate.map((weights, n) =>
        experts[0]![n]!.map((_, f) => sum(weights.map((g, e) => g * experts[e]![n]![f]!))),
      ),
  },
  'frames folded': {
    make: () => new FoldFrames(),
    shapes: [[2, 2, 1, 2, 1]],
    reference: ([x]: number[][][][][][]) => x!.flat(),
  },
  'frames unfolded': {
    make: () => new UnfoldFrames({ name: 'u', frames: 2 }),
    shapes: [[4, 1, 2, 1]],
    reference: ([x]: number[][][][][]) => [x!.slice(0, 2), x!.slice(2)],
  },
};

/** A layer with its inputs as variables, its weights moved away from their special start. */
function prepared({ make, shapes }: Case) {
  const inputs = shapes.map((shape, k) =>
    tf.tidy(() => tf.variable(tf.randomNormal(shape, 0.3, 1, 'float32', 20 + k))),
  );
  const layer = make();
  const call = () => layer.apply(inputs.length === 1 ? inputs[0]! : inputs) as tf.Tensor;
  tf.dispose(call());
  const weights = layer.trainableWeights.map((weight: LayerVariable) => {
    const variable = weight.read() as unknown as tf.Variable;
    const moved = tf.tidy(() =>
      tf.add(variable, tf.randomNormal(variable.shape, 0, 0.3, 'float32', 40)),
    );
    variable.assign(moved);
    moved.dispose();
    return [weight.originalName.replace(`${layer.name}/`, ''), variable] as const;
  });
  const dispose = () => {
    tf.dispose(inputs);
    for (const [, variable] of weights) variable.dispose();
  };
  return { inputs, weights, call, layer, dispose };
}

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  describe.each(Object.entries(cases))('%s', (_, given) => {
    it('computes what its description says, and announces its shape', async () => {
      await expectConstantMemory(() => {
        const { inputs, weights, call, layer, dispose } = prepared(given);
        tf.tidy(() => {
          const values = weights.map(([name, variable]) => [name, variable.arraySync()]);
          const expected = given.reference(
            inputs.map((input) => input.arraySync()) as never,
            Object.fromEntries(values) as never,
          );
          const found = call();
          const shapes = given.shapes.map((shape) => [null, ...shape.slice(1)]);
          const announced = layer.computeOutputShape(shapes.length === 1 ? shapes[0]! : shapes);
          expect(found.shape.slice(1)).toEqual((announced as number[]).slice(1));
          const flat = (numbers: Numbers): number[] =>
            Array.isArray(numbers[0])
              ? (numbers as Numbers[]).flatMap(flat)
              : (numbers as number[]);
          const wanted = flat(expected);
          expect(found.size).toBe(wanted.length);
          found.dataSync().forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 5));
        });
        dispose();
      });
    });

    it('has the gradient of its function, by finite differences', async () => {
      await expectConstantMemory(() => {
        const { inputs, weights, call, dispose } = prepared(given);
        tf.tidy(() => {
          const factors = tf.randomNormal(call().shape, 0, 1, 'float32', 60);
          const loss = () => tf.sum<tf.Scalar>(tf.mul(factors, tf.tanh(call())));
          const all = weights.map(([, variable]) => variable);
          // A key's bias moves all scores of a query alike, which a softmax does not see.
          const sources = all.filter(({ name }) => !name.includes('key/bias'));
          expectGradientByDifferences(loss, [...inputs, ...sources]);
        });
        dispose();
      });
    });
  });
});
