import { MultigradError, randomState, resumeRandom, own } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { BatchContext, BatchSource } from './batch-source.ts';

/** Options of {@link withMissing}. */
export interface WithMissingOptions<Name extends string> {
  /** Share of the samples that lack an entry, 0 to 1, by the entry's name in a batch. */
  readonly rates: Readonly<Partial<Record<Name, number>>>;
  /**
   * Seed of what is missing, an integer >= 0.
   *
   * @defaultValue 0
   */
  readonly seed?: number;
}

/** Names of a batch's tensors. */
type EntryName<Batch> = keyof Batch & string;

/** A batch with masks: for each entry that may be missing n numbers, 1 where a sample has it and 0 where it has not. */
export type BatchWithMissing<Batch> = Batch & {
  readonly present: Readonly<Partial<Record<EntryName<Batch>, tf.Tensor1D>>>;
};

/**
 * The same data set with modalities or labels missing from some samples, completely at random.
 *
 * In a sample that lacks an entry, class labels (int32) are −1 and all other numbers 0; `present` distinguishes them
 * from measured zeros. The networks of `@multigrad/models` leave samples of label −1 out of a loss, and an objective
 * out of a step whose batch has no label for it. What a sample lacks depends on `seed`, the entry's name and the
 * sample's position alone: it is missing in every epoch.
 *
 * @throws MultigradError `invalid-option` for a rate out of its range; `invalid-argument`, when a batch is made, for an
 * entry that a batch does not have
 *
 * @example
 * ```ts
 * import { cgMnist, readMnist, withMissing } from '@multigrad/datasets';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const { train } = cgMnist({ mnist: await readMnist(), trainSize: 1000 });
 * const partial = withMissing(train, { rates: { color: 0.5, label: 0.1 }, seed: 1 });
 * const batch = await partial.batch(Int32Array.of(0, 1, 2, 3), { epoch: 0 });
 * // 1 where the sample has a colour, else 0:
 * console.log(batch.present.color?.arraySync());
 * ```
 */
export function withMissing<Batch extends Readonly<Record<string, tf.Tensor>>>(
  source: BatchSource<Batch>,
  { rates, seed = 0 }: WithMissingOptions<EntryName<Batch>>,
): BatchSource<BatchWithMissing<Batch>> {
  const lacking = Object.entries<number | undefined>(rates).map(([name, rate]) => {
    if (typeof rate !== 'number' || !(rate >= 0 && rate <= 1)) {
      throw new MultigradError(
        'invalid-option',
        `Option \`rates.${name}\` of \`withMissing\` should be a number from 0 to 1. Found ${String(rate)}.`,
      );
    }
    const random = resumeRandom(randomState(seed, 'missing', name));
    return {
      name,
      present: Float32Array.from({ length: source.count }, () => Number(random.uniform() >= rate)),
    };
  });
  return {
    count: source.count,
    batch: async (indices: Int32Array, context: BatchContext) => {
      const batch = await source.batch(indices, context);
      const entries = new Map<string, tf.Tensor>(Object.entries(batch));
      const present = new Map<string, tf.Tensor1D>();
      for (const { name, present: all } of lacking) {
        const whole: unknown = own(batch, name);
        if (!(whole instanceof tf.Tensor)) {
          tf.dispose([...entries.values(), ...present.values()]);
          throw new MultigradError(
            'invalid-argument',
            `Option \`rates\` of \`withMissing\` should name entries of a batch (${Object.keys(batch).join(', ')}). Found \`${name}\`.`,
          );
        }
        const mask = tf.tensor1d(Float32Array.from(indices, (index) => all[index]!));
        present.set(name, mask);
        entries.set(name, blank(whole as tf.Tensor, mask));
        (whole as tf.Tensor).dispose();
      }
      return {
        ...Object.fromEntries(entries),
        present: Object.fromEntries(present),
      } as unknown as BatchWithMissing<Batch>;
    },
  };
}

/** The tensor without the samples whose mask is 0: −1 in the place of class labels, zeros in that of measurements. */
function blank(whole: tf.Tensor, mask: tf.Tensor1D): tf.Tensor {
  return tf.tidy(() => {
    const shape = [mask.size, ...new Array<number>(whole.rank - 1).fill(1)];
    if (whole.dtype === 'int32') {
      const kept = tf.cast(tf.reshape(mask, shape), 'int32');
      const one = tf.scalar(1, 'int32');
      return tf.sub(tf.mul(tf.add(whole, one), kept), one);
    }
    return tf.mul(whole, tf.reshape(mask, shape));
  });
}
