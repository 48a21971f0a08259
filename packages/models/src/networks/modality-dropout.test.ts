import { MultiObjectiveTrainer } from '@multigrad/core';
import { seededUniform, uniformKey } from '@multigrad/core/kernels';
import { sum } from '@multigrad/strategy-sum';
import {
  disposeOptimizer,
  expectConstantMemory,
  expectGradientByDifferences,
  normalTensor,
  problem,
  savedAndLoaded,
  startTestedBackend,
  testedBackends,
} from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, it } from 'vitest';
import { modalityContributions } from '../contribution/modality-contributions.ts';
import { digitEncoder } from '../encoders/digit-encoder.ts';
import { multilayerPerceptron } from '../encoders/multilayer-perceptron.ts';
import type { Fusion } from '../fusions/fusion.ts';
import { ModalityTokens } from '../layers/modality-tokens.ts';
import { multimodalNetwork, type MultimodalNetworkOptions } from './make-multimodal-network.ts';
import type { MultimodalNetwork } from './multimodal-network.ts';
import type { ForwardMode } from './parts.ts';

// A name that a saved topology would spell otherwise, were it not kept as it is.
const lengths = { image: 4, left_Ear: 3, text: 2 } as const;
type Modality = keyof typeof lengths;
const modalities = Object.keys(lengths) as Modality[];
const [classes, samples, seed, rate] = [3, 24, 5, 0.4];

function network(
  options: Partial<MultimodalNetworkOptions<Modality, 'joint'>> = {},
): MultimodalNetwork<Modality, 'joint'> {
  const encoder = (name: Modality) =>
    multilayerPerceptron({ name, shape: [lengths[name]], hidden: [6], features: 8, seed: 1 });
  return multimodalNetwork<Modality, 'joint'>({
    encoders: {
      image: encoder('image'),
      left_Ear: encoder('left_Ear'),
      text: encoder('text'),
    },
    ...{ classes, seed, jointName: 'joint', modalityDropout: rate },
    ...options,
  });
}

type Inputs = Record<Modality, tf.Tensor>;

function inputsOf(from: number): Inputs {
  const entries = modalities.map((name, k) => [
    name,
    normalTensor([samples, lengths[name]], from + k),
  ]);
  return Object.fromEntries(entries) as Inputs;
}

const labelsOf = (): tf.Tensor1D =>
  tf.tensor1d(
    Array.from({ length: samples }, (_, i) => i % classes),
    'int32',
  );

/** Whether modality k of a sample is dropped, by its place in the whole batch. */
function isDropped(step: number, place: number, k: number): boolean {
  const key = uniformKey(seed, step, 'modality-dropout');
  const numbers = modalities.map((_, j) => seededUniform(key, place * modalities.length + j));
  const all = numbers.every((number) => number < rate);
  return numbers[k]! < rate && !(all && numbers.every((number) => number <= numbers[k]!));
}

const rowsOf = (x: tf.Tensor): number[][] => x.arraySync() as number[][];
const numbers = (x: tf.Tensor): number[] => [...x.dataSync()];

/** Runs `body` with a network that is freed afterwards; nothing may stay. */
const withNetwork = (
  options: Parameters<typeof network>[0],
  body: (net: ReturnType<typeof network>) => unknown,
): Promise<void> =>
  expectConstantMemory(async () => {
    const net = network(options);
    try {
      await expectConstantMemory(() => body(net));
    } finally {
      net.dispose();
    }
  });

const fusions: Fusion[] = [
  'concatenation',
  'summation',
  'gated',
  { kind: 'film', condition: 'left_Ear' },
  { kind: 'cross-attention', width: 4, heads: 2, blocks: 1 },
];

describe.each(testedBackends())('modality dropout on %s', (backend) => {
  beforeAll(async () => {
    await startTestedBackend(backend);
  });

  it('leaves a dropped modality no influence on the joint logits, and never drops all', async () => {
    await withNetwork({}, (net) => {
      tf.tidy(() => {
        const [batch, others] = [inputsOf(1), inputsOf(50)];
        const logits = (inputs: Inputs, step: number) =>
          net.forward(inputs, { training: true, step });
        let dropped = 0;
        for (const step of [0, 7]) {
          const before = rowsOf(logits(batch, step).joint);
          expect(rowsOf(logits(batch, step).joint)).toEqual(before);
          modalities.forEach((name, k) => {
            const changed = { ...batch, [name]: others[name] };
            const after = rowsOf(logits(changed, step).joint);
            const same = after.map((row, i) => row.every((value, c) => value === before[i]![c]));
            // A sample whose units are all closed has the same features of both inputs, none.
            const [z, other] = [batch, changed].map((inputs) =>
              rowsOf(net.features(inputs, { training: false })[name]),
            );
            const silent = z!.map((row, i) => row.every((value, f) => value === other![i]![f]));
            expect(silent.filter(Boolean).length).toBeLessThan(samples / 4);
            const left = same.map((_, i) => isDropped(step, i, k));
            expect(same).toEqual(left.map((one, i) => one || silent[i]!));
            dropped += left.filter(Boolean).length;
          });
          for (let i = 0; i < samples; i++)
            expect(modalities.every((_, k) => isDropped(step, i, k))).toBe(false);
        }
        expect(dropped).toBeGreaterThan(samples);
        expect(rowsOf(logits(batch, 7).joint)).not.toEqual(rowsOf(logits(batch, 0).joint));
        // Unimodal heads see their encoder as it is.
        const plain = net.forward(batch, { training: false });
        for (const name of modalities)
          expect(numbers(logits(batch, 0)[name])).toEqual(numbers(plain[name]));
      });
    });
  });

  it('drops with probability p − p^M/M', async () => {
    await expectConstantMemory(() => {
      tf.tidy(() => {
        const named = [{ name: 'a' }, { name: 'b' }];
        const layer = new ModalityTokens({ name: 'tokens', modalities: named, rate: 0.5, seed: 1 });
        const ones = tf.ones([5000, 1]);
        const outputs = layer.apply([ones, ones], { training: true, step: 0 }) as tf.Tensor[];
        const [a, b] = outputs.map((y) => numbers(y).map((value) => value === 1));
        for (const kept of [a!, b!]) {
          // 0.5 − 0.5²/2; its deviation over 5000 samples is 0.007.
          expect(Math.abs(kept.filter((one) => !one).length / 5000 - 0.375)).toBeLessThan(0.028);
        }
        expect(a!.some((one, i) => !one && !b![i])).toBe(false);
        layer.dispose();
      });
    });
  });

  it('drops on ranks what it drops in the whole batch', async () => {
    await withNetwork({}, (net) => {
      tf.tidy(() => {
        const batch = inputsOf(1);
        const joint = (inputs: Inputs, mode: ForwardMode) => net.forward(inputs, mode).joint;
        const whole = rowsOf(joint(batch, { training: true, step: 3 }));
        const part = (begin: number, size: number) => {
          const entries = modalities.map((name) => [name, tf.slice(batch[name], begin, size)]);
          const share = { firstSample: begin, totalSamples: samples, sumNow: null };
          const mode = { training: true, step: 3, share };
          return rowsOf(joint(Object.fromEntries(entries) as Inputs, mode));
        };
        const parts = [...part(0, 9), ...part(9, samples - 9)];
        parts.forEach((row, i) =>
          row.forEach((value, c) => expect(value).toBeCloseTo(whole[i]![c]!, 5)),
        );
      });
    });
  });

  it('drops nothing in inference: the numbers of a network without it', async () => {
    await withNetwork({}, async (net) => {
      await withNetwork({ modalityDropout: 0 }, (plain) => {
        tf.tidy(() => {
          const batch = inputsOf(1);
          const [found, expected] = [net, plain].map((one) =>
            one.forward(batch, { training: false }),
          );
          for (const name of net.objectiveNames)
            expect(numbers(found![name])).toEqual(numbers(expected![name]));
          expect(numbers(net.predict(batch))).toEqual(numbers(expected!.joint));
          expect(numbers(plain.predict(batch))).toEqual(numbers(expected!.joint));
          expect(plain.tokens).toEqual([]);
          const added = [...net.namedVariables.keys()].filter(
            (name) => !plain.namedVariables.has(name),
          );
          expect(added).toEqual(modalities.map((name) => `modality-dropout/${name}`));
        });
      });
    });
  });

  it.each(fusions)('predicts with tokens in the place of what is not seen: %j', async (fusion) => {
    await withNetwork({ fusion }, (net) => {
      tf.tidy(() => {
        const batch = inputsOf(1);
        const features = net.features(batch, { training: false });
        const sets: readonly (readonly Modality[])[] = [
          ...[[], ['text'], ['image', 'text']],
          modalities,
        ] as Modality[][];
        for (const seen of sets) {
          const shown = modalities.map((name, k) =>
            seen.includes(name)
              ? features[name]
              : tf.stack(new Array<tf.Tensor>(samples).fill(net.tokens[k]!)),
          );
          const expected = net.heads.joint.apply(net.fusion.apply(shown)) as tf.Tensor;
          // What the input of a modality is that is not seen has no influence, not even NaN.
          const hidden = modalities.filter((name) => !seen.includes(name));
          const broken = hidden.map((name) => [name, tf.fill(batch[name].shape, NaN)]);
          const inputs = { ...batch, ...(Object.fromEntries(broken) as Partial<Inputs>) } as Inputs;
          expect(numbers(net.predict(inputs, seen))).toEqual(numbers(expected));
        }
      });
    });
  });

  it.each(fusions.slice(0, 4))(
    'has gradients of tokens that are its differences: %j',
    async (fusion) => {
      await withNetwork({ fusion }, (net) => {
        const [batch, label] = [inputsOf(1), labelsOf()];
        expectGradientByDifferences(
          () => tf.tidy(() => net.losses(batch, label, { training: true, step: 2 }).joint),
          net.tokens,
        );
        tf.dispose([batch, label]);
      });
    },
  );

  it('learns its tokens, by the joint objective alone', async () => {
    await withNetwork({}, async (net) => {
      expect(net.trainableVariables).toEqual(expect.arrayContaining([...net.tokens]));
      const reached = net.objectiveNames.map(
        (name) => net.variablesOf(name).filter((one) => net.tokens.includes(one)).length,
      );
      expect(reached).toEqual([3, 0, 0, 0]);
      const before = net.tokens.map(numbers);
      const data = { ...inputsOf(1), label: labelsOf() };
      const optimizer = tf.train.sgd(0.1);
      const trainer = new MultiObjectiveTrainer({
        objectives: (batch: typeof data, mode) => net.objectives(batch, batch.label, mode),
        variables: net.trainableVariables,
        parts: net.parts,
        strategy: sum(),
        optimizer,
      });
      await trainer.fit(data, { batchSize: 8, epochs: 2 });
      net.tokens.forEach((token, k) => {
        numbers(token).forEach((value, j) => expect(value).not.toBe(before[k]![j]));
      });
      trainer.dispose();
      disposeOptimizer(optimizer);
      tf.dispose(data);
    });
  });

  it('measures contributions over tokens', async () => {
    await withNetwork({}, async (net) => {
      const batch = { ...inputsOf(1), label: labelsOf() };
      const found = await modalityContributions(
        (shown: typeof batch, seen) => net.predict(shown, seen),
        [batch],
        { modalities, masks: 'own' },
      );
      for (const { seen, value } of found.coalitions) {
        const hits = tf.tidy(() =>
          tf
            .mean(tf.cast(tf.equal(tf.argMax(net.predict(batch, seen), 1), batch.label), 'float32'))
            .dataSync(),
        )[0]!;
        expect(value).toBeCloseTo(hits, 6);
      }
      const total = modalities.map((name) => found.contributions[name].value);
      expect(total.reduce((all, one) => all + one, 0)).toBeCloseTo(found.joint - found.chance, 14);
      tf.dispose(batch);
    });
  });

  it('is saved and loaded with its tokens, its rate and its seed', async () => {
    await withNetwork({}, async (net) => {
      const copy = await savedAndLoaded(net.model);
      tf.tidy(() => {
        const batch = inputsOf(1);
        for (const mode of [{ training: false }, { training: true, step: 4 }]) {
          const expected = net.forward(batch, mode);
          const copied = copy.apply(
            modalities.map((name) => batch[name]),
            { ...mode },
          ) as tf.Tensor[];
          net.objectiveNames.forEach((name, k) =>
            expect(numbers(copied[k]!)).toEqual(numbers(expected[name])),
          );
        }
      });
      copy.dispose();
    });
  });

  it('says what it cannot serve, and holds nothing then', async () => {
    await withNetwork({ modalityDropout: 0 }, (net) => {
      const batch = inputsOf(1);
      expect(problem('unsupported', () => net.predict(batch, ['image']))).toBe(
        '`predict` without `left_Ear` needs a learnt token in its place: make the network with `modalityDropout` above 0. ' +
          'Found a network without tokens.',
      );
      expect(problem('invalid-argument', () => net.predict(batch, ['sound']))).toBe(
        '`predict` should be told which of image, left_Ear, text are seen. Found `sound`.',
      );
      tf.dispose(batch);
    });
    await withNetwork({}, (net) => {
      const batch = inputsOf(1);
      expect(problem('invalid-argument', () => net.forward(batch, { training: true }))).toContain(
        'Layer `modality-dropout` draws the modalities that it drops by the number of the training step',
      );
      tf.dispose(batch);
    });
    await expectConstantMemory(() => {
      const size = { channels: 1, width: 2, features: 4, inputHeight: 8, inputWidth: 8 };
      const digits = {
        a: digitEncoder({ name: 'a', ...size }),
        b: digitEncoder({ name: 'b', ...size }),
      };
      const sequence = (name: string): tfl.LayersModel => {
        const steps = tfl.input({ name: `${name}/steps`, shape: [3, 4] });
        const tokens = tfl.layers.dense({ name: `${name}/tokens`, units: 4 }).apply(steps);
        return tfl.model({ name, inputs: steps, outputs: tokens as tfl.SymbolicTensor });
      };
      const sequences = { a: sequence('a'), b: sequence('b') };
      const refused = (options: object, code: 'unsupported' | 'invalid-option') =>
        problem(code, () =>
          multimodalNetwork({ encoders: digits, classes: 2, modalityDropout: 0.2, ...options }),
        );
      expect(refused({ exchange: { kind: 'mmtm', after: ['conv2'] } }, 'unsupported')).toBe(
        'Option `modalityDropout` of `multimodalNetwork` puts a learnt vector in the place of the vector that the fusion ' +
          "gets of a modality; here the exchange 'mmtm' shows each modality to the other encoders before it is dropped.",
      );
      const attention = { kind: 'cross-attention', width: 4, heads: 2 };
      expect(refused({ encoders: sequences, fusion: attention }, 'unsupported')).toContain(
        'here the fusion takes features that are no vectors.',
      );
      expect(refused({ modalityDropout: 1 }, 'invalid-option')).toBe(
        'Option `modalityDropout` of `multimodalNetwork` should be below 1, or all modalities are never seen together. Found 1.',
      );
      expect(refused({ modalityDropout: -0.1 }, 'invalid-option')).toContain('`modalityDropout`');
      for (const encoder of [digits.a, digits.b, sequences.a, sequences.b]) encoder.dispose();
    });
  });
});
