import { MultigradError, own } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import * as tf from '@tensorflow/tfjs-core';
import { missingLabel, oneHotOf } from '../losses/labels.ts';
import { describeInput } from './describe-input.ts';

/**
 * What the network sees in the place of a modality that is left out:
 *
 * - `zero`: zeros
 * - a tensor for each modality, of a sample's shape or one that broadcasts to it: the mean that {@link modalityMeans}
 *   returns, or a token that was learnt with the network
 * - `own`: the inputs stay as they are, and `predict` leaves out what is not in `seen`, as a network does that has tokens
 *   behind its encoders or attends to what is there
 */
export type Masks<Modality extends string> = 'zero' | 'own' | Readonly<Record<Modality, tf.Tensor>>;

/**
 * The joint prediction: logits of a batch, n × classes, float32, with the network in inference mode.
 *
 * @param batch - the batch with masks in the place of the modalities that are not seen
 * @param seen - the modalities that are seen
 */
export type Predict<Batch extends object, Modality extends string> = (
  batch: Batch,
  seen: readonly Modality[],
) => tf.Tensor;

type Tensors = Readonly<Record<string, tf.Tensor>>;

/** How the network is asked. */
export interface Question<Batch extends object, Modality extends string> {
  /** The function that asks, for messages. */
  readonly owner: string;
  readonly predict: Predict<Batch, Modality>;
  readonly modalities: readonly Modality[];
  readonly masks: Masks<Modality>;
  /** The entry of a batch that holds labels. */
  readonly labels: string;
}

/** What a network answers where only some modalities are seen. Coalitions of modalities are bits: 2^k for the k-th. */
export interface CoalitionAnswers {
  readonly classes: number;
  /** n labels, −1 where one is missing. */
  readonly labels: ArrayLike<number>;
  /** By coalition n numbers: 1 where the largest logit is that of the label, else 0. */
  readonly hits: readonly ArrayLike<number>[];
  /** By coalition n numbers: the logarithm of the label's probability, in nats. */
  readonly logProbabilities: readonly ArrayLike<number>[];
}

/** The most modalities that are measured exactly: 2^M forward passes are made for each batch. */
const mostModalities = 6;

/** @throws MultigradError `invalid-option` or `unsupported` for modalities or masks that cannot be measured */
export function checkQuestion<Batch extends object, Modality extends string>(
  question: Question<Batch, Modality>,
): void {
  const { owner, modalities, masks } = question;
  const names: unknown = modalities;
  const isList =
    Array.isArray(names) &&
    names.length >= 2 &&
    names.every((name) => typeof name === 'string') &&
    new Set(names).size === names.length;
  if (!isList) {
    throw new MultigradError(
      'invalid-option',
      `Option \`modalities\` of \`${owner}\` should name two or more entries of a batch, none of them twice. ` +
        `Found ${Array.isArray(names) ? JSON.stringify(names) : describeValue(names)}.`,
    );
  }
  if (modalities.length > mostModalities) {
    throw new MultigradError(
      'unsupported',
      `\`${owner}\` makes 2^M forward passes for each batch, so it takes at most ${mostModalities} modalities ` +
        `(${2 ** mostModalities} passes). Found ${modalities.length}: put some of them together.`,
    );
  }
  if (masks === 'zero' || masks === 'own') return;
  const given: unknown = masks;
  for (const modality of modalities) {
    const isRecord = typeof given === 'object' && given !== null;
    const mask: unknown = isRecord ? own(given as Record<string, unknown>, modality) : given;
    if (mask instanceof tf.Tensor) continue;
    throw new MultigradError(
      'invalid-option',
      `Option \`masks\` of \`${owner}\` should be 'zero', 'own' or a tensor for each modality. ` +
        `Found ${describeValue(mask)}${isRecord ? ` for \`${modality}\`` : ''}.`,
    );
  }
}

/** The modalities of a coalition, in the order of all. */
export function membersOf<Modality extends string>(
  modalities: readonly Modality[],
  coalition: number,
): Modality[] {
  return modalities.filter((_, k) => (coalition & (1 << k)) !== 0);
}

/**
 * Asks the network about one batch once for each coalition of its modalities. One read-back; nothing stays on the device,
 * also where `predict` throws.
 *
 * @throws MultigradError `invalid-data` for a batch that does not fit, `invalid-argument` for logits that do not,
 *   `non-finite` for logits that are no numbers
 */
export async function askCoalitions<Batch extends object, Modality extends string>(
  question: Question<Batch, Modality>,
  batch: Batch,
): Promise<CoalitionAnswers> {
  const { modalities } = question;
  const coalitions = Array.from({ length: 1 << modalities.length }, (_, coalition) => coalition);
  const labelled = labelsOf(question, batch);
  const { size } = labelled;
  let classes = 0;
  const answers = tf.tidy(() => {
    const masked = maskedInputs(question, batch);
    const rows = coalitions.flatMap((coalition) => {
      const [row, count] = tf.tidy(() => {
        const seen = membersOf(modalities, coalition);
        const hidden = modalities.filter((modality) => !seen.includes(modality));
        const shown = hidden.map((modality) => [modality, masked[modality]] as const);
        const logits = question.predict({ ...batch, ...Object.fromEntries(shown) }, seen);
        checkLogits(question, logits, size, classes, seen);
        return [answersOf(logits, labelled), logits.shape[1]] as unknown as [tf.Tensor, number];
      });
      classes = count;
      return [row];
    });
    return tf.stack(rows) as tf.Tensor3D;
  });
  let numbers: Float32Array;
  let labels: Int32Array;
  try {
    [numbers, labels] = (await Promise.all([answers.data(), labelled.data()])) as [
      Float32Array,
      Int32Array,
    ];
  } finally {
    answers.dispose();
  }
  checkLabels(question, labels, classes);
  const part = (coalition: number, which: 0 | 1): Float32Array =>
    numbers.subarray((2 * coalition + which) * size, (2 * coalition + which + 1) * size);
  for (const coalition of coalitions) {
    const wrong = part(coalition, 1).findIndex((value) => !Number.isFinite(value));
    if (wrong < 0) continue;
    throw new MultigradError(
      'non-finite',
      `\`predict\` of \`${question.owner}\` should return finite logits. Found NaN or infinity for sample ${wrong} of a batch ` +
        `where ${seenText(membersOf(modalities, coalition))}.`,
    );
  }
  return {
    classes,
    labels,
    hits: coalitions.map((coalition) => part(coalition, 0)),
    logProbabilities: coalitions.map((coalition) => part(coalition, 1)),
  };
}

/** 2 × n: hits, and logarithms of the label's probability; the latter are NaN where a logit is none or infinite. */
function answersOf(logits: tf.Tensor, labels: tf.Tensor1D): tf.Tensor {
  const z = logits as tf.Tensor2D;
  const hits = tf.cast(tf.equal(tf.argMax(z, 1), labels), 'float32');
  const target = oneHotOf(labels, z.shape[1]);
  const logProbabilities = tf.sum(tf.mul(tf.logSoftmax(z), target), 1);
  // Where a label is missing the target is all zero: the logits themselves are looked at, not its product with them.
  const finite = tf.mul(tf.sum(z, 1), 0);
  return tf.stack([hits, tf.add(logProbabilities, finite)]);
}

/** What stands in the place of each modality where it is not seen. */
function maskedInputs<Batch extends object, Modality extends string>(
  { owner, modalities, masks }: Question<Batch, Modality>,
  batch: Batch,
): Record<Modality, tf.Tensor> {
  const entries = modalities.map((modality) => {
    const input = own(batch as Tensors, modality)!;
    if (masks === 'own') return [modality, input];
    if (masks === 'zero') return [modality, tf.zerosLike(input)];
    const mask = own(masks as Tensors, modality)!;
    const fits =
      mask.dtype === input.dtype &&
      mask.rank < input.rank &&
      mask.shape.every((length, axis) => {
        const whole = input.shape[input.rank - mask.rank + axis];
        return length === 1 || length === whole;
      });
    if (!fits) {
      throw new MultigradError(
        'invalid-option',
        `Option \`masks\` of \`${owner}\` should hold for \`${modality}\` a tensor that broadcasts to a sample, ` +
          `${input.dtype} [${input.shape.slice(1).join(', ')}]. Found ${describeInput(mask)}.`,
      );
    }
    return [modality, tf.broadcastTo(mask, input.shape)];
  });
  return Object.fromEntries(entries) as Record<Modality, tf.Tensor>;
}

/** The labels of a batch; as many samples are of each modality. */
function labelsOf<Batch extends object, Modality extends string>(
  { owner, modalities, labels }: Question<Batch, Modality>,
  batch: Batch,
): tf.Tensor1D {
  const entries = batch as Readonly<Record<string, unknown>>;
  const label = own(entries, labels);
  if (!(label instanceof tf.Tensor) || label.rank !== 1 || label.dtype !== 'int32') {
    throw new MultigradError(
      'invalid-data',
      `A batch of \`${owner}\` should have labels in \`${labels}\`, int32 [n]. Found ${describeInput(label)}.`,
    );
  }
  for (const modality of modalities) {
    const input = own(entries, modality);
    if (input instanceof tf.Tensor && (input as tf.Tensor).shape[0] === label.size) continue;
    throw new MultigradError(
      'invalid-data',
      `A batch of \`${owner}\` should have ${label.size} samples of \`${modality}\`, as many as labels. Found ${describeInput(input)}.`,
    );
  }
  return label as tf.Tensor1D;
}

function checkLogits<Batch extends object, Modality extends string>(
  { owner }: Question<Batch, Modality>,
  logits: unknown,
  size: number,
  classes: number,
  seen: readonly Modality[],
): void {
  const tensor = logits instanceof tf.Tensor ? (logits as tf.Tensor) : null;
  const fits =
    tensor?.rank === 2 &&
    tensor.dtype === 'float32' &&
    tensor.shape[0] === size &&
    tensor.shape[1]! >= 2 &&
    (classes === 0 || tensor.shape[1] === classes);
  if (fits) return;
  throw new MultigradError(
    'invalid-argument',
    `\`predict\` of \`${owner}\` should return float32 logits of shape [${size}, ${classes === 0 ? 'classes' : classes}], ` +
      `without a promise. Found ${describeInput(logits)} where ${seenText(seen)}.`,
  );
}

function checkLabels<Batch extends object, Modality extends string>(
  { owner }: Question<Batch, Modality>,
  labels: Int32Array,
  classes: number,
): void {
  const wrong = labels.findIndex(
    (label) => label !== missingLabel && !(label >= 0 && label < classes),
  );
  if (wrong < 0) return;
  throw new MultigradError(
    'invalid-data',
    `Labels of \`${owner}\` should be integers from 0 to ${classes - 1} for ${classes} classes, or -1 for a missing label. ` +
      `Found ${labels[wrong]} at position ${wrong}.`,
  );
}

function seenText(seen: readonly string[]): string {
  return seen.length === 0
    ? 'no modality is seen'
    : `${seen.map((name) => `\`${name}\``).join(', ')} ${seen.length === 1 ? 'is' : 'are'} seen`;
}

/** The coalition of the k-th modality alone. */
export function only(k: number): number {
  return 1 << k;
}

/** The coalition of all modalities. */
export function everyOf(count: number): number {
  return (1 << count) - 1;
}

/** The coalition of all modalities but the k-th. */
export function allBut(count: number, k: number): number {
  return everyOf(count) & ~only(k);
}
