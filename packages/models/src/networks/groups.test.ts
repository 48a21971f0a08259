import { type GroupBy, integrateGradients } from '@multigrad/core';
import {
  expectConstantMemory,
  only,
  startTestedBackend,
  testedBackends,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { digitEncoder } from '../encoders/digit-encoder.ts';
import { lenet } from '../encoders/lenet.ts';
import { temporalTransformer } from '../encoders/temporal-transformer.ts';
import type { Sharing } from '../sharing/sharing.ts';
import { multimodalNetwork, type MultimodalNetworkOptions } from './make-multimodal-network.ts';
import { multiTaskNetwork } from './make-multi-task-network.ts';

// Which variables are integrated together, and of how many objectives: what a strategy sees of each kind of network.

const seed = 2;

function encoders(pool: boolean) {
  return {
    image: digitEncoder({
      name: 'image',
      channels: 1,
      width: 2,
      features: 4,
      inputHeight: 6,
      inputWidth: 6,
      seed,
    }),
    audio: temporalTransformer({
      name: 'audio',
      length: 3,
      inputs: 2,
      width: 4,
      heads: 2,
      blocks: 1,
      pool,
      seed,
    }),
  };
}

interface Group {
  readonly objectives: readonly string[];
  readonly members: string[];
}

/** The groups by key, each with its objectives and with the names of its variables. */
async function groupsOf(
  network: {
    readonly trainableVariables: tf.Variable[];
    readonly namedVariables: ReadonlyMap<string, tf.Variable>;
    readonly parts: Readonly<Record<string, tf.Variable[]>>;
    readonly variablesOf: (objective: never) => tf.Variable[];
  },
  losses: () => Partial<Record<string, tf.Scalar>>,
  groupBy: GroupBy = 'reach',
): Promise<Record<string, Group>> {
  const { trainableVariables, namedVariables, parts } = network;
  const { state, gradients } = await integrateGradients(only('none'), losses, trainableVariables, {
    parts,
    groupBy,
  });
  tf.dispose(gradients);
  for (const objective of state.objectives) {
    const reached = state.groups.filter(({ objectives }) => objectives.includes(objective));
    const found = network.variablesOf(objective as never).map(({ name }) => name);
    const expected = reached.flatMap(({ variables }) => variables);
    // Under another grouping a group may hold what the objective does not reach.
    if (groupBy === 'reach') expect(found.sort()).toEqual([...expected].sort());
  }
  const names = new Map(Array.from(namedVariables, ([name, variable]) => [variable.name, name]));
  return Object.fromEntries(
    state.groups.map(({ key, objectives, variables }) => [
      key,
      { objectives, members: variables.map((name) => names.get(name)!) },
    ]),
  );
}

async function multimodalGroups(
  options: Pick<MultimodalNetworkOptions<'image' | 'audio', 'multimodal'>, 'fusion' | 'exchange'>,
  groupBy?: GroupBy,
): Promise<Record<string, Group>> {
  const pool = !(typeof options.fusion === 'string' && options.fusion === 'cross-attention');
  const network = multimodalNetwork({ ...options, encoders: encoders(pool), classes: 2, seed });
  const batch = {
    image: tf.randomNormal([2, 6, 6, 1], 0, 1, 'float32', 1),
    audio: tf.randomNormal([2, 3, 2], 0, 1, 'float32', 2),
  };
  const label = tf.tensor1d([0, 1], 'int32');
  const groups = await groupsOf(network, () => network.losses(batch, label), groupBy);
  tf.dispose([batch, label]);
  network.dispose();
  return groups;
}

const part = (group: Group | undefined) =>
  new Set(group?.members.map((name) => name.split('/')[0]));
const heads = ['multimodal', 'image', 'audio'];
const all = heads.join('+');

describe.each(testedBackends())('on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  describe('multimodalNetwork', () => {
    it.each(['concatenation', 'gated', 'cross-attention'] as const)(
      'is two groups of two objectives, and heads, with %s behind the encoders',
      async (fusion) => {
        await expectConstantMemory(async () => {
          const groups = await multimodalGroups({ fusion });
          expect(Object.keys(groups)).toEqual([
            'image/multimodal+image',
            'audio/multimodal+audio',
            'multimodal',
            'image',
            'audio',
          ]);
          for (const modality of ['image', 'audio']) {
            const group = groups[`${modality}/multimodal+${modality}`]!;
            expect(group.objectives).toEqual(['multimodal', modality]);
            expect(part(group)).toEqual(new Set([modality]));
          }
          // What fuses is reached by the joint objective alone, as is its head.
          expect(part(groups.multimodal)).toEqual(
            new Set(fusion === 'concatenation' ? ['head'] : ['fusion', 'head']),
          );
        });
      },
    );

    it.each(['mmtm', 'cross-attention'] as const)(
      'keeps each encoder a group of its own where %s lets every objective reach both',
      async (kind) => {
        await expectConstantMemory(async () => {
          const after = { image: ['conv4'], audio: ['block1'] };
          const groups = await multimodalGroups({ exchange: { kind, after } });
          const [image, audio] = [groups[`image/${all}`]!, groups[`audio/${all}`]!];
          expect(image.objectives).toEqual(heads);
          expect(audio.objectives).toEqual(heads);
          // All up to the exchange, and nothing else: the weights of the other encoder have the same reach.
          expect(image.members).toHaveLength(2 + 4 * 2);
          expect(part(image)).toEqual(new Set(['image']));
          expect(part(audio)).toEqual(new Set(['audio']));
          expect(audio.members.some((name) => name.startsWith('audio/norm'))).toBe(false);
          // Behind the last exchange an encoder is reached as ever.
          expect(groups['image/multimodal+image']!.members).toEqual([
            'image/dense/kernel',
            'image/dense/bias',
          ]);
          expect(groups['audio/multimodal+audio']!.members).toEqual([
            'audio/norm/gamma',
            'audio/norm/beta',
          ]);
          // The exchange's own weights stand beside the encoders.
          const exchange = Object.entries(groups).filter(([, group]) =>
            part(group).has('exchange1'),
          );
          expect(exchange.map(([key]) => key)).toEqual([
            all,
            'multimodal+image',
            'multimodal+audio',
          ]);
          expect(exchange.every(([, group]) => part(group).size === 1)).toBe(true);
        });
      },
    );
  });

  describe('a group for each encoder', () => {
    it('holds all of it, also what lies behind an exchange, where a key asks for that', async () => {
      await expectConstantMemory(async () => {
        const groups = await multimodalGroups(
          { exchange: { kind: 'mmtm', after: { image: ['conv4'], audio: ['block1'] } } },
          ({ part: own, reach }) => (own === null ? reach.join('+') : `encoder ${own}`),
        );
        const own = groups['encoder image']!;
        expect(own.objectives).toEqual(heads);
        expect(part(own)).toEqual(new Set(['image']));
        expect(own.members).toHaveLength(2 + 4 * 2 + 2);
      });
    });
  });

  describe('multiTaskNetwork', () => {
    const groupsWith = async (sharing: Sharing): Promise<Record<string, Group>> => {
      const size = {
        channels: 1,
        width: 1,
        secondWidth: 2,
        features: 3,
        inputHeight: 16,
        inputWidth: 16,
      };
      const network = multiTaskNetwork({
        trunk: (name) => lenet({ name, ...size, seed }),
        sharing,
        tasks: {
          left: { kind: 'classification', classes: 2 },
          place: { kind: 'regression', size: 1 },
        },
        seed,
      });
      const image = tf.randomNormal([2, 16, 16, 1], 0, 1, 'float32', 1);
      const targets = { left: tf.tensor1d([0, 1], 'int32'), place: tf.tensor1d([0.5, 1]) };
      const groups = await groupsOf(network, () => network.losses(image, targets));
      tf.dispose([image, targets]);
      network.dispose();
      return groups;
    };

    it('is one shared group and heads with hard sharing, the trunk a named part', async () => {
      await expectConstantMemory(async () => {
        const groups = await groupsWith('hard');
        expect(Object.keys(groups)).toEqual(['trunk/left+place', 'left', 'place']);
        expect(part(groups['trunk/left+place'])).toEqual(new Set(['trunk']));
        expect(groups.left!.members).toEqual(['head/left/kernel', 'head/left/bias']);
      });
    });

    it('shares what both tasks reach with the other schemes', async () => {
      await expectConstantMemory(async () => {
        const stitched = await groupsWith({ kind: 'cross-stitch', after: ['pool1'] });
        expect(Object.keys(stitched)).toEqual(['left+place', 'left', 'place']);
        expect(stitched['left+place']!.members).toEqual([
          'left/conv1/kernel',
          'left/conv1/bias',
          'place/conv1/kernel',
          'place/conv1/bias',
        ]);
        expect(stitched.left!.members).toContain('exchange1/left/place');
        const mixed = await groupsWith({ kind: 'mmoe', experts: 3 });
        expect(part(mixed['left+place'])).toEqual(new Set(['expert1', 'expert2', 'expert3']));
        expect(mixed.left!.members).toEqual([
          'gate/left/kernel',
          'gate/left/bias',
          'head/left/kernel',
          'head/left/bias',
        ]);
        const layered = await groupsWith({ kind: 'ple', levels: 1 });
        expect(new Set(layered['left+place']!.members.map((n) => n.split('/')[1]))).toEqual(
          new Set(['shared']),
        );
        expect(layered.left!.members).toContain('level1/task/left/expert1/conv1/kernel');
        expect(layered.left!.members).toContain('level1/task/left/gate/kernel');
      });
    });
  });
});
