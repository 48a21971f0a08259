import { MultigradError } from '@multigrad/core/strategy';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { sum } from '@multigrad/strategy-sum';
import { expectConstantMemory, startTestedBackend, testedBackends } from '@multigrad/test-support';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BalancingPlugin, createBalancing } from '../contract/plugin.ts';
import { plugins } from '../plugins.ts';
import { balanced } from '../driver/balanced.ts';
import { type Exchange, type Fusion, smallNetwork, trainSmall, type Weights } from './training.ts';

/** What the kit has to know of a method. */
export interface BalancingCase {
  readonly plugin: BalancingPlugin;
  /** Options with which a short training shows its effect, as on a command line. @defaultValue none */
  readonly options?: Readonly<Record<string, string>>;
  /** A fusion that it serves. @defaultValue concatenation */
  readonly fusion?: Fusion;
  /** The exchange between encoders that it needs. @defaultValue none */
  readonly exchange?: Exchange;
  /** Fusions that it cannot serve. @defaultValue none */
  readonly refused?: readonly Fusion[];
  /** Numbers of modalities that it serves. @defaultValue 2 and 3 */
  readonly counts?: readonly (2 | 3)[];
  /** Epochs of three steps after which its effect shows. @defaultValue 3 */
  readonly epochs?: number;
  /** Learning rate. @defaultValue 0.1 */
  readonly rate?: number;
  /** Length of every modality's features. @defaultValue 4, and under concatenation 4, 3 and 2 */
  readonly features?: number;
}

/** Of a weight tensor's largest number, or of a hundredth of the largest of all. */
const tolerance = 2e-5;
const strategies = { sum, mmpareto };

/** Tests what every balancing method must keep: call it at the top of a test file. */
export function describeBalancing({
  plugin,
  options = {},
  fusion = 'concatenation',
  refused = [],
  counts = [2, 3],
  epochs = 3,
  rate = 0.1,
  features,
  exchange,
}: BalancingCase): void {
  const setting = {
    ...{ fusion, epochs, rate },
    ...(features === undefined ? {} : { features }),
    ...(exchange === undefined ? {} : { exchange }),
  };
  const method = (): ReturnType<typeof createBalancing> => createBalancing(plugin, options);
  const each = counts.flatMap((modalities) =>
    Object.entries(strategies).map(([name, make]) => ({ modalities, strategy: name, make })),
  );
  const references = new Map<string, Weights>();

  describe(`${plugin.name} as every balancing method`, () => {
    beforeAll(async () => {
      await tf.setBackend('cpu');
      for (const { modalities, strategy, make } of each) {
        const trained = await trainSmall({
          ...setting,
          method: method(),
          modalities,
          strategy: make(),
        });
        references.set(`${modalities} ${strategy}`, trained.weights);
      }
    });

    it('is listed', () => {
      expect(plugins).toContain(plugin);
      expect(method().name).toBe(plugin.name);
    });

    describe.each(testedBackends())('on %s', (backend) => {
      beforeAll(async () => {
        await startTestedBackend(backend);
      });

      it.each(each)(
        'changes the weights of $modalities modalities under $strategy, as on stock cpu',
        async ({ modalities, strategy, make }) => {
          await expectConstantMemory(async () => {
            const shared = { ...setting, modalities };
            const found = await trainSmall({ ...shared, method: method(), strategy: make() });
            const plain = await trainSmall({ ...shared, method: null, strategy: make() });
            const reference = references.get(`${modalities} ${strategy}`)!;
            expect(difference(found.weights, reference)).toBeLessThanOrEqual(tolerance);
            expect(difference(found.weights, plain.weights)).toBeGreaterThan(50 * tolerance);
          });
        },
      );

      it.each([1, 2, 4, 3 * epochs - 1])(
        'goes on from a checkpoint after step %i with the same bytes',
        async (stopAfter) => {
          await expectConstantMemory(async () => {
            const whole = await trainSmall({
              ...setting,
              method: method(),
              modalities: counts.at(-1)!,
            });
            const { saved } = await trainSmall({
              ...{ ...setting, method: method(), modalities: counts.at(-1)!, stopAfter },
            });
            const rest = await trainSmall({
              ...{ ...setting, method: method(), modalities: counts.at(-1)!, from: saved! },
            });
            expect(rest.weights).toEqual(whole.weights);
            expect(rest.state).toEqual(whole.state);
            expect(JSON.parse(JSON.stringify(whole.state))).toEqual(whole.state);
            expect(rest.logs).toEqual(whole.logs);
          });
        },
      );

      it('serves two networks from one value, and does not change with the first', async () => {
        await expectConstantMemory(async () => {
          const one = method();
          const first = await trainSmall({ ...setting, method: one });
          const second = await trainSmall({ ...setting, method: one });
          expect(second.weights).toEqual(first.weights);
        });
      });
    });

    it('begins in the epoch that it says, and not before', async () => {
      await tf.setBackend('cpu');
      const { firstEpoch = 0 } = method();
      if (firstEpoch === 0) return;
      const after = (length: number, own: ReturnType<typeof method> | null): Promise<Weights> =>
        trainSmall({ ...setting, method: own, epochs: length }).then(({ weights }) => weights);
      const plain = await after(firstEpoch, null);
      expect(difference(await after(firstEpoch, method()), plain)).toBe(0);
      const longer = Math.max(epochs, firstEpoch + 1);
      const changed = difference(await after(longer, method()), await after(longer, null));
      expect(changed).toBeGreaterThan(50 * tolerance);
    });

    if (refused.length > 0) {
      it.each(refused)('refuses %j with the reason', async (other) => {
        await expectConstantMemory(() => {
          const network = smallNetwork(2, other);
          const refusal = refusalOf(() => balanced(method(), network));
          expect(refusal.code).toBe('unsupported');
          expect(refusal.message).toContain(plugin.name);
          network.dispose();
        });
      });
    }

    it('says what it lacks before training', () => {
      const { needs } = method();
      if (needs.data === undefined) return;
      const network = smallNetwork(2, fusion);
      const refusal = refusalOf(() => balanced(method(), network));
      expect(refusal.message).toContain('option `data` is missing');
      network.dispose();
    });
  });
}

function refusalOf(make: () => unknown): MultigradError {
  try {
    make();
  } catch (error) {
    if (MultigradError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}

const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** The largest difference of weights, relative to their tensor's largest number. */
function difference(found: Weights, expected: Weights): number {
  expect(Object.keys(found)).toEqual(Object.keys(expected));
  const least = 0.01 * largest(Object.values(expected).flat());
  return largest(
    Object.entries(expected).map(([name, values]) => {
      const apart = largest(values.map((value, i) => value - found[name]![i]!));
      return apart / Math.max(largest(values), least);
    }),
  );
}
