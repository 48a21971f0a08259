import { integrateGradients, withFeatures } from '@multigrad/core';
import {
  expectConstantMemory,
  only,
  savedAndLoaded,
  startTestedBackend,
  testedBackends,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { multilayerPerceptron } from '../encoders/multilayer-perceptron.ts';
import { temporalTransformer } from '../encoders/temporal-transformer.ts';
import type { Sharing } from '../sharing/sharing.ts';
import { multiTaskNetwork, type MultiTaskNetworkOptions } from './make-multi-task-network.ts';

const seed = 8;
const inference = { training: false };
const trunk = (name: string) =>
  multilayerPerceptron({ name, shape: [4], hidden: [5], features: 3, seed });

const tasks = {
  kind: { kind: 'classification', classes: 3 },
  place: { kind: 'regression', size: 2, hidden: 4 },
} as const;

const network = (sharing: Sharing) => multiTaskNetwork({ trunk, sharing, tasks, seed });
type Network = ReturnType<typeof network>;

const sample = () => tf.randomNormal<tf.Rank.R2>([3, 4], 0, 1, 'float32', 4);
const targets = () => ({ kind: tf.tensor1d([0, 2, 1], 'int32'), place: tf.ones([3, 2]) });

/** The layers of a network by hand. */
function byHand(net: Network) {
  const weight = (name: string) => net.namedVariables.get(name) as unknown as tf.Tensor2D;
  const dense = (x: tf.Tensor, layer: string): tf.Tensor =>
    tf.add(tf.matMul(x as tf.Tensor2D, weight(`${layer}/kernel`)), weight(`${layer}/bias`));
  const expert = (x: tf.Tensor, name: string): tf.Tensor =>
    tf.relu(dense(tf.relu(dense(x, `${name}/dense1`)), `${name}/dense2`));
  const mixed = (gate: tf.Tensor, experts: tf.Tensor[]): tf.Tensor =>
    tf.addN(experts.map((f, e) => tf.mul(f, tf.slice(gate, [0, e], [-1, 1]))));
  const heads = (kind: tf.Tensor, place: tf.Tensor) => ({
    kind: dense(kind, 'head/kind'),
    place: dense(tf.relu(dense(place, 'head/place/hidden')), 'head/place'),
  });
  return { weight, dense, expert, mixed, heads };
}

const expected: Record<
  string,
  { sharing: Sharing; outputs: (net: Network, x: tf.Tensor) => Record<string, tf.Tensor> }
> = {
  hard: {
    sharing: 'hard',
    outputs: (net, x) => {
      const { expert, heads } = byHand(net);
      const z = expert(x, 'trunk');
      return heads(z, z);
    },
  },
  'cross-stitch': {
    sharing: { kind: 'cross-stitch', after: ['dense1'], share: 0.2 },
    outputs: (net, x) => {
      const { weight, dense, heads } = byHand(net);
      const [a, b] = ['kind', 'place'].map((task) => tf.relu(dense(x, `${task}/dense1`)));
      const own = (task: string) => {
        const [kind, place] = ['kind', 'place'].map((from) => weight(`exchange1/${task}/${from}`));
        expect(kind!.dataSync()[0]).toBeCloseTo(task === 'kind' ? 0.8 : 0.2, 6);
        const stitched = tf.add(tf.mul(a!, kind!), tf.mul(b!, place!));
        return tf.relu(dense(stitched, `${task}/dense2`));
      };
      return heads(own('kind'), own('place'));
    },
  },
  mmoe: {
    sharing: { kind: 'mmoe', experts: 3 },
    outputs: (net, x) => {
      const { dense, expert, mixed, heads } = byHand(net);
      const experts = [1, 2, 3].map((e) => expert(x, `expert${e}`));
      const own = (task: string) => mixed(tf.softmax(dense(x, `gate/${task}`)), experts);
      return heads(own('kind'), own('place'));
    },
  },
  ple: {
    sharing: { kind: 'ple', levels: 2, shared: 2, own: 1 },
    outputs: (net, x) => {
      const { dense, expert, mixed, heads } = byHand(net);
      const shared = [1, 2].map((e) => expert(x, `level1/shared/expert${e}`));
      const own = (task: string) => expert(x, `level1/task/${task}/expert1`);
      const gate = (from: tf.Tensor, name: string) => tf.softmax(dense(from, `${name}/gate`));
      const common = mixed(gate(x, 'level1/shared'), [...shared, own('kind'), own('place')]);
      const second = [1, 2].map((e) => tf.relu(dense(common, `level2/shared/expert${e}`)));
      const vector = (task: string) => {
        const first = mixed(gate(x, `level1/task/${task}`), [own(task), ...shared]);
        const mine = tf.relu(dense(first, `level2/task/${task}/expert1`));
        return mixed(gate(first, `level2/task/${task}`), [mine, ...second]);
      };
      return heads(vector('kind'), vector('place'));
    },
  },
};

Object.assign(expected, {
  'dselect-k': {
    sharing: { kind: 'dselect-k', experts: 3, selected: 2, gamma: 0.7 },
    outputs: (net, x) => {
      const { dense, expert, mixed, heads } = byHand(net);
      const experts = [1, 2, 3].map((e) => expert(x, `expert${e}`));
      const own = (task: string) => {
        const a = tf.softmax(dense(x, `gate/${task}/weights`)).arraySync() as number[][];
        const z = dense(x, `gate/${task}/selectors`).arraySync() as number[][];
        const gates = z.map((row, n) =>
          [0, 1, 2].map((e) =>
            [0, 1].reduce((sum, i) => {
              const high = smoothStep(row[2 * i]!, 0.7);
              const low = smoothStep(row[2 * i + 1]!, 0.7);
              return sum + a[n]![i]! * (e >= 2 ? high : 1 - high) * (e % 2 === 1 ? low : 1 - low);
            }, 0),
          ),
        );
        return mixed(tf.tensor2d(gates), experts);
      };
      return heads(own('kind'), own('place'));
    },
  },
  mtan: {
    sharing: { kind: 'mtan', after: ['dense1', 'dense2'] },
    outputs: (net, x) => {
      const { dense, heads } = byHand(net);
      // Moving statistics are those of the start: mean 0, variance 1.
      const norm = (value: tf.Tensor) => tf.div(value, Math.sqrt(1 + 1e-5));
      const first = tf.relu(dense(x, 'trunk/dense1'));
      const second = tf.relu(dense(first, 'trunk/dense2'));
      const mask = (seen: tf.Tensor, name: string) => {
        const squeezed = tf.relu(norm(dense(seen, `${name}/squeeze`)));
        return tf.sigmoid(norm(dense(squeezed, `${name}/mask`)));
      };
      const own = (task: string) => {
        const below = tf.mul(mask(x, `attention1/${task}`), first);
        const next = tf.relu(norm(dense(below, 'attention2/next')));
        return tf.mul(mask(tf.concat([first, next], 1), `attention2/${task}`), second);
      };
      return heads(own('kind'), own('place'));
    },
  },
  ltb: {
    sharing: { kind: 'ltb', after: ['dense1'] },
    outputs: (net, x) => {
      const { weight, dense, heads } = byHand(net);
      // One task goes on from the other's trunk, and the other stays with its own.
      (weight('exchange1/kind/logits') as unknown as tf.Variable).assign(tf.tensor1d([0.1, 0.3]));
      const other = tf.relu(dense(x, 'place/dense1'));
      return heads(tf.relu(dense(other, 'kind/dense2')), tf.relu(dense(other, 'place/dense2')));
    },
  },
} satisfies typeof expected);

/** Half of a smooth step below 0, half above. */
function smoothStep(t: number, gamma: number): number {
  if (Math.abs(t) >= gamma / 2) return t < 0 ? 0 : 1;
  return (-2 * t ** 3) / gamma ** 3 + (3 * t) / (2 * gamma) + 0.5;
}

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  describe.each(Object.entries(expected))('%s', (_, { sharing, outputs }) => {
    it('computes what its description says', async () => {
      await expectConstantMemory(() => {
        const net = network(sharing);
        tf.tidy(() => {
          const x = sample();
          const wanted = outputs(net, x);
          const found = net.forward(x, inference);
          for (const task of net.objectiveNames) {
            const values = wanted[task]!.dataSync();
            expect(found[task].shape).toEqual(wanted[task]!.shape);
            found[task].dataSync().forEach((value, i) => expect(value).toBeCloseTo(values[i]!, 5));
          }
        });
        net.dispose();
      });
    });

    it('survives a save and a load, is the same for the same seed, and frees everything', async () => {
      await expectConstantMemory(async () => {
        const [net, again] = [network(sharing), network(sharing)];
        const x = sample();
        const copy = await savedAndLoaded(net.model);
        const copied = copy.predict(x) as tf.Tensor[];
        const [found, same] = [net.forward(x, inference), again.forward(x, inference)];
        net.objectiveNames.forEach((task, k) => {
          expect(copied[k]!.dataSync()).toEqual(found[task].dataSync());
          expect(same[task].dataSync()).toEqual(found[task].dataSync());
        });
        tf.dispose([x, copied, found, same]);
        // tf.layers counts the uses of a layer that tasks share, and frees it at the last of as many calls.
        tf.dispose(copy.weights.map((variable) => variable.read()));
        for (const made of [net, again]) made.dispose();
        net.dispose();
      });
    });

    it('are kept as files under names that a saved topology would spell otherwise', async () => {
      await expectConstantMemory(async () => {
        const net = multiTaskNetwork({
          ...{ trunk, sharing, seed },
          tasks: { left_Eye: tasks.kind, right_eye: tasks.place },
        });
        const x = sample();
        const copy = await savedAndLoaded(net.model);
        const copied = copy.predict(x) as tf.Tensor[];
        const found = net.forward(x, inference);
        net.objectiveNames.forEach((task, k) => {
          expect(copied[k]!.dataSync()).toEqual(found[task].dataSync());
        });
        tf.dispose([x, copied, found]);
        tf.dispose(copy.weights.map((variable) => variable.read()));
        net.dispose();
      });
    });
  });

  describe('multiTaskNetwork', () => {
    it("integrates at the trunk's vectors with hard sharing: the chain rule's gradient of the sum", async () => {
      await expectConstantMemory(async () => {
        const net = network('hard');
        const [x, target] = [sample(), targets()];
        const mode = { training: true };
        const cut = () => {
          const features = net.features(x, mode);
          return withFeatures(net.lossesFromFeatures(features, target, mode), features);
        };
        const variables = net.trainableVariables;
        const behind = await integrateGradients(only('place'), cut, variables, {
          level: 'features',
          parts: net.parts,
        });
        const direct = await integrateGradients(
          only('place'),
          () => net.losses(x, target),
          variables,
          { parts: net.parts },
        );
        expect(behind.groups[0]!.key).toBe('trunk');
        for (const { name } of variables) {
          expect(behind.gradients[name]!.dataSync()).toEqual(direct.gradients[name]!.dataSync());
        }
        tf.dispose([x, target, behind.gradients, direct.gradients]);
        net.dispose();
      });
    });

    it('has no such vector with other schemes', async () => {
      await expectConstantMemory(() => {
        const net = network('mmoe');
        const x = sample();
        expect(() => net.features(x, inference)).toThrow('`features` needs one tensor');
        x.dispose();
        net.dispose();
      });
    });

    it('pools a trunk that returns a sequence', async () => {
      await expectConstantMemory(() => {
        const net = multiTaskNetwork({
          trunk: temporalTransformer({
            name: 'trunk',
            length: 3,
            inputs: 2,
            width: 4,
            heads: 2,
            pool: false,
          }),
          tasks,
        });
        tf.tidy(() => {
          const x = tf.randomNormal([2, 3, 2], 0, 1, 'float32', 1);
          const z = tf.mean(net.trunks[0]!.predict(x) as tf.Tensor, 1);
          expect([...net.features(x, inference).trunk.dataSync()]).toEqual([...z.dataSync()]);
        });
        net.dispose();
      });
    });

    it('refuses what does not fit, and holds nothing then', async () => {
      await expectConstantMemory(() => {
        const make = (options: Partial<MultiTaskNetworkOptions<string>>) => (): unknown =>
          multiTaskNetwork<string>({ trunk, tasks, ...options });
        expect(make({ tasks: { kind: tasks.kind } })).toThrow('at least two tasks');
        expect(make({ tasks: { ...tasks, x: { kind: 'ranking' } as never } })).toThrow(
          "Option `tasks.x.kind` of `multiTaskNetwork` should be 'classification', 'regression', 'segmentation', 'pixel-regression' or 'normals'. Found \"ranking\".",
        );
        expect(make({ tasks: { ...tasks, x: { kind: 'regression', size: 0 } } })).toThrow(
          '`size` of `task x`',
        );
        expect(make({ sharing: 'soft' as 'hard' })).toThrow('Found "soft".');
        expect(make({ sharing: { kind: 'mmoe', experts: 1 } })).toThrow('`experts` of `mmoe`');
        expect(make({ sharing: { kind: 'cross-stitch', after: ['conv1'] } })).toThrow(
          'Option `sharing.after` should name stages of `kind`: dense1, dense2. Found "conv1".',
        );
        expect(make({ trunk: (() => 3) as never })).toThrow('Found 3.');
        const one = trunk('one');
        expect(make({ trunk: () => one, sharing: 'mmoe' })).toThrow(
          'makes a new trunk at each call',
        );
        one.dispose();
        let width = 3;
        const growing = (name: string) =>
          multilayerPerceptron({ name, shape: [4], hidden: [width++], features: 2 });
        expect(
          make({ trunk: growing, sharing: { kind: 'cross-stitch', after: ['dense1'] } }),
        ).toThrow('should have stages of the same shape. Found [3] and [4].');
      });
    });

    it('refuses inputs and targets that do not fit', async () => {
      await expectConstantMemory(() => {
        const net = network('hard');
        tf.tidy(() => {
          const x = sample();
          expect(() => net.losses(tf.ones([3, 5]), targets())).toThrow(
            'The input should be a tensor of shape [n, 4]. Found [3, 5].',
          );
          expect(() => net.losses(x, { place: tf.ones([3]) })).toThrow(
            'Targets of `place` should be a float32 tensor of shape [n, 2]. Found float32 [3].',
          );
          expect(() => net.losses(x, { place: [1] as never })).toThrow('should be a tensor. Found');
          expect(() => net.losses(x, { kind: tf.tensor1d([0, 5, 1], 'int32') })).toThrow(
            'labels of `kind`: expected integers from 0 to 2 for 3 classes, or -1 for a missing label. Found 5 at position 1.',
          );
        });
        net.dispose();
      });
    });
  });
});
