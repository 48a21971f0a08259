import { seededUniform, uniformKey } from '@multigrad/core/kernels';
import { multiTaskNetwork, type Sharing } from '@multigrad/models';
import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  layers,
  type LayersModel,
  model,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { seedOf } from './balancing/network.ts';
import { recordOf } from './recorded.ts';

// Ways of sharing beside LibMTL's architectures, which scripts/check-peers/libmtl_sharing_peer.py ran in float64 with the same
// weights: outputs, losses, and of each weight's gradient its length and three inner products.

interface SharingCase {
  readonly name: 'MTAN' | 'MMoE' | 'DSelect_k' | 'LTB';
  readonly tasks: readonly string[];
  readonly widths?: readonly [number, number, number, number];
  readonly pooled?: readonly number[];
  readonly experts?: number;
  readonly selected?: number;
  readonly gamma?: number;
  readonly step?: number;
  readonly temperature?: number;
  readonly warmup?: number;
  /** Gumbel noise by exchange and task, its own trunk first. */
  readonly noise?: Readonly<Record<string, readonly number[]>>;
  readonly found: {
    readonly outputs: Readonly<Record<string, readonly number[]>>;
    readonly losses: Readonly<Record<string, number>>;
    readonly gradients: Readonly<Record<string, readonly [number, number, number, number]>>;
  };
}

const [samples, side, seed] = [4, 8, 7];
const factors = [1, 2, 0.5];
const cases = recordOf('libmtl-sharing').cases as readonly SharingCase[];

/** Multiples of 1/512 between -1/2 and 1/2, scattered, as the record has them. */
function numbers(seeded: number, shape: readonly number[]): Float32Array {
  const count = shape.reduce((product, length) => product * length, 1);
  return Float32Array.from({ length: count }, (_, i) => {
    const scattered = BigInt((i + 1) * (i + 1 + seeded)) * 2654435761n;
    return Number((scattered % 2n ** 32n) / 2n ** 23n) / 512 - 0.5;
  });
}

/** A chain of convolutions with ReLU, as the record has it. */
function chain(name: string, { widths, pooled = [] }: SharingCase, double: boolean): LayersModel {
  const first = input({ name: `${name}/input`, shape: [side, side, 2] });
  const convolution = (layer: string, filters: number) =>
    layers.conv2d({
      name: `${name}/${layer}`,
      ...{ filters, kernelSize: 3, padding: 'same', activation: 'relu' },
    });
  const stages = widths!.flatMap((width, k) => [
    ...(pooled.includes(k + 1) ? [layers.maxPooling2d({ name: `${name}/pool${k + 1}` })] : []),
    ...(double ? [convolution(`a${k + 1}`, width)] : []),
    convolution(`b${k + 1}`, width),
  ]);
  const outputs = [convolution('first', widths![0]), ...stages].reduce(
    (x, layer) => layer.apply(x) as SymbolicTensor,
    first,
  );
  return model({ name, inputs: first, outputs });
}

/** A dense layer with ReLU. */
function expert(name: string): LayersModel {
  const first = input({ name: `${name}/input`, shape: [6] });
  const dense = layers.dense({ name: `${name}/dense`, units: 5, activation: 'relu' });
  return model({ name, inputs: first, outputs: dense.apply(first) as SymbolicTensor });
}

function sharingOf(given: SharingCase): Sharing {
  const { name, experts, selected, gamma, warmup, temperature } = given;
  switch (name) {
    case 'MTAN':
      return { kind: 'mtan', after: ['b1', 'b2', 'b3', 'b4'] };
    case 'MMoE':
      return { kind: 'mmoe', experts: experts! };
    case 'DSelect_k':
      return { kind: 'dselect-k', experts: experts!, selected: selected!, gamma: gamma! };
    case 'LTB':
      return {
        ...{ kind: 'ltb', after: ['first', 'b1', 'b2', 'b3'], warmup: warmup! },
        ...{ temperature: temperature!, decay: 1 },
      };
  }
}

/** The network of a case with its weights: numbers that follow from their names. */
function networkOf(given: SharingCase) {
  const mixes = given.experts !== undefined;
  const network = multiTaskNetwork({
    trunk: (name) => (mixes ? expert(name) : chain(name, given, given.name === 'MTAN')),
    sharing: sharingOf(given),
    tasks: Object.fromEntries(
      given.tasks.map((task, k) => [task, { kind: 'regression', size: k + 1 } as const]),
    ),
    seed,
  });
  for (const [name, variable] of network.namedVariables) {
    if (/moving_(mean|variance)$/.test(name)) continue;
    const values = numbers(seedOf(name), variable.shape).map(
      (value) => value * (name.endsWith('/logits') ? 4 : 1) + (name.endsWith('/gamma') ? 1 : 0),
    );
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
  return network;
}

/** The samples and targets of a case. */
function batchOf({ experts, found }: SharingCase) {
  const shape = experts === undefined ? [samples, side, side, 2] : [samples, 6];
  const targets = Object.keys(found.outputs).map((task, k): [string, tf.Tensor] => {
    const target = [samples, k + 1];
    return [task, tf.mul(tf.tensor(numbers(910 + k, target), target), 4)];
  });
  return {
    x: tf.mul(tf.tensor(numbers(900, shape), shape), 2),
    targets: Object.fromEntries(targets),
  };
}

const distance = (a: ArrayLike<number>, b: readonly number[]): number =>
  Math.hypot(...b.map((value, at) => value - a[at]!));

const tolerance = 1e-5;

it('noise of the record is what a network of its seed draws', () => {
  for (const { noise, step } of cases) {
    for (const [layer, values] of Object.entries(noise ?? {})) {
      const key = uniformKey(seed, step!, layer);
      values.forEach((value, j) => {
        expect(-Math.log(-Math.log(seededUniform(key, j) + 2 ** -25))).toBeCloseTo(value, 12);
      });
    }
  }
});

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  it.each(cases.map((given, at) => [at, given.name, given] as const))(
    'case %i: %s computes what LibMTL computes, forward and backward',
    async (_, __, given) => {
      await expectConstantMemory(() => {
        const network = networkOf(given);
        const { outputs, losses, gradients } = given.found;
        tf.tidy(() => {
          const { x, targets } = batchOf(given);
          const mode = { training: true, step: given.step ?? 0 };
          const found = network.forward(x, mode);
          for (const task of given.tasks) {
            const own = outputs[task]!;
            expect(distance(found[task]!.dataSync(), own)).toBeLessThan(
              tolerance * Math.hypot(...own),
            );
          }
          const total = (): tf.Scalar =>
            given.tasks
              .map((task, k) => tf.mul(network.losses(x, targets, mode)[task]!, factors[k]!))
              .reduce((sum, part) => tf.add(sum, part)) as tf.Scalar;
          if (given.name !== 'DSelect_k') {
            const own = network.losses(x, targets, mode);
            for (const task of given.tasks) {
              expect(Math.abs(own[task]!.dataSync()[0]! - losses[task]!)).toBeLessThan(
                tolerance * losses[task]!,
              );
            }
          }
          const { grads } = tf.variableGrads(total, network.trainableVariables);
          const greatest = Math.max(...Object.values(gradients).map(([length]) => length));
          let seen = 0;
          for (const [name, variable] of network.namedVariables) {
            const expected = gradients[name];
            if (expected === undefined) continue;
            seen += 1;
            const gradient = grads[variable.name]!.dataSync();
            const probes = [0, 1, 2].map((k) =>
              numbers(920 + k, [gradient.length]).reduce(
                (sum, value, at) => sum + value * gradient[at]!,
                0,
              ),
            );
            const lengths = [
              1,
              ...[0, 1, 2].map((k) => Math.hypot(...numbers(920 + k, [gradient.length]))),
            ];
            // A shift before a batch norm has no gradient: what is left is rounding, of the size of other gradients' rounding.
            const scale = Math.max(expected[0], 1e-2 * greatest);
            [Math.hypot(...gradient), ...probes].forEach((value, at) => {
              expect(
                Math.abs(value - expected[at]!) / (scale * lengths[at]!),
                `${name}, number ${at}`,
              ).toBeLessThan(tolerance);
            });
          }
          expect(seen).toBe(Object.keys(gradients).length);
        });
        network.dispose();
      });
    },
  );
});
