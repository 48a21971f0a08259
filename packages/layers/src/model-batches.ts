import { type DatasetLike, resumableBatches, tensorBatches } from '@multigrad/core';
import { MultigradError, own } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';
import {
  dispose,
  gather,
  type NamedTensorMap,
  slice,
  type Tensor,
  tensor1d,
} from '@tensorflow/tfjs-core';
import { type ArrayLikeTensor, type Named, namedTensors, type Port } from './named-tensors.ts';
import { type ClassWeight, classWeights, sampleWeights } from './sample-weights.ts';

/** Arrays for the inputs and the outputs of a model. */
export interface Samples {
  /** Inputs: one array, a list in the order of the model's inputs, or by name. */
  readonly x: Named<ArrayLikeTensor>;
  /**
   * Labels: one array, a list in the order of the outputs that have a loss, or by name. A sample with a NaN in an output's
   * labels, or with class number −1, has no label there.
   */
  readonly y: Named<ArrayLikeTensor>;
  /** Weight of each sample in the losses, for all outputs or by name. @defaultValue 1 for each */
  readonly sampleWeight?: Named<ArrayLikeTensor> | undefined;
}

/** What `tf.data` yields for a model: `{ xs, ys }`, or a list of inputs, labels and, if any, sample weights. */
export type DatasetElement =
  | { readonly xs: unknown; readonly ys: unknown; readonly sampleWeight?: unknown }
  | readonly unknown[];

/** The labels of one output in a batch. */
export interface Targets {
  readonly labels: Tensor;
  readonly weights: Tensor | null;
  /** The samples that have a label; null for all. */
  readonly rows: Tensor | null;
}

/** A batch as the model's objectives take it; an output without labels is left out. */
export interface ModelBatch {
  readonly inputs: readonly Tensor[];
  readonly targets: Readonly<Record<string, Targets>>;
}

/** The inputs of a model, and those of its outputs that have a loss. */
export interface Ports {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Names of the outputs without a loss: labels for them may be given, and are left aside. */
  readonly others: readonly string[];
}

/** The tensors of one output: labels, weights of samples, and 1 for each sample that has labels; null for 1 everywhere. */
interface OutputTensors {
  readonly labels: Tensor;
  readonly weights: Tensor | null;
  readonly present: Tensor | null;
}

/** Tensors of a data set, ready to be cut into batches. */
export class PreparedSamples {
  readonly #ports: Ports;
  readonly #inputs: readonly Tensor[];
  readonly #outputs: OutputTensors[];

  private constructor(ports: Ports, inputs: readonly Tensor[], outputs: OutputTensors[]) {
    this.#ports = ports;
    this.#inputs = inputs;
    this.#outputs = outputs;
  }

  /**
   * Reads arrays. The tensors that it makes share their data with those given.
   *
   * @throws MultigradError `invalid-data`, `invalid-option`; nothing stays behind then
   */
  static async read(ports: Ports, { x, y, sampleWeight }: Samples): Promise<PreparedSamples> {
    const made: Tensor[] = [];
    const keep = <T extends readonly (Tensor | null)[]>(tensors: T): T => {
      for (const tensor of tensors) if (tensor !== null) made.push(tensor);
      return tensors;
    };
    try {
      const inputs = keep(namedTensors('x', x, ports.inputs));
      const all = keep(namedTensors('y', y, ports.outputs, ports.others));
      const samples = inputs[0]!.shape[0];
      const labelled = all[0]!.shape[0];
      if (labelled !== samples) {
        throw new MultigradError(
          'invalid-data',
          `\`x\` and \`y\` should have the same number of samples. Found ${samples} and ${labelled}.`,
        );
      }
      const weights = keep(sampleWeights(sampleWeight, ports.outputs, samples));
      const outputs: OutputTensors[] = [];
      for (const [place, { sparse = false }] of ports.outputs.entries()) {
        const labels = all[place]!;
        const flags = presenceOf(await labels.data(), samples, sparse);
        const [present] = keep([flags === null ? null : tensor1d(flags)]);
        outputs.push({ labels, weights: weights[place]!, present: present! });
      }
      return new PreparedSamples(ports, inputs, outputs);
    } catch (error) {
      dispose(made);
      throw error;
    }
  }

  /** Multiplies the weights of samples by those of their classes. @throws MultigradError `invalid-data` */
  async weighClasses(byOutput: ReadonlyMap<string, ClassWeight>): Promise<void> {
    for (const [place, { name }] of this.#ports.outputs.entries()) {
      const classWeight = byOutput.get(name);
      if (classWeight === undefined) continue;
      const before = this.#outputs[place]!;
      const { labels, present, weights } = before;
      const after = classWeights(name, classWeight, {
        values: await labels.data(),
        shape: labels.shape,
        present: await present?.data(),
        given: await weights?.data(),
      });
      weights?.dispose();
      this.#outputs[place] = { ...before, weights: after };
    }
  }

  /** Number of samples. */
  get size(): number {
    return this.#inputs[0]!.shape[0];
  }

  /**
   * Copies the first samples and the last ones.
   *
   * @param share - the share of the last ones, in (0, 1)
   * @param opened - takes the two, which the caller frees
   * @throws MultigradError `invalid-option` where one of them would have no sample
   */
  split(share: number, opened: PreparedSamples[]): readonly [PreparedSamples, PreparedSamples] {
    const at = Math.floor(this.size * (1 - share));
    if (at < 1 || at >= this.size) {
      throw new MultigradError(
        'invalid-option',
        `Option \`validationSplit\` should leave samples on both sides. Found ${share} of ${this.size} samples.`,
      );
    }
    const part = (from: number, count: number): PreparedSamples => {
      const cut = (whole: Tensor): Tensor => slice(whole, from, count);
      const made = new PreparedSamples(
        this.#ports,
        this.#inputs.map(cut),
        this.#outputs.map(({ labels, weights, present }) => ({
          labels: cut(labels),
          weights: weights === null ? null : cut(weights),
          present: present === null ? null : cut(present),
        })),
      );
      opened.push(made);
      return made;
    };
    return [part(0, at), part(at, this.size - at)];
  }

  /** Batches of an epoch, as a function of the epoch and the first batch. */
  batches(options: {
    readonly batchSize: number;
    readonly shuffle: number | boolean;
  }): (epoch: number, firstBatch?: number) => AsyncGenerator<ModelBatch, void> {
    // The kinds of an output's tensors, by their place in a list.
    const outputs = this.#outputs.map(({ labels, weights, present }) => [labels, weights, present]);
    const flat = [...this.#inputs, ...outputs.flat()];
    const named = flat.flatMap((tensor, place) =>
      tensor === null ? [] : [[String(place), tensor] as const],
    );
    const cut = tensorBatches<NamedTensorMap>(Object.fromEntries(named), options);
    const ports = this.#ports;
    return resumableBatches(async function* (
      epoch: number,
      firstBatch: number,
    ): AsyncGenerator<ModelBatch, void> {
      for (const record of cut(epoch, firstBatch)) {
        const batch = flat.map((_, place) => own(record, String(place)) ?? null);
        const inputs = batch.slice(0, ports.inputs.length) as Tensor[];
        yield await assemble(
          ports,
          inputs,
          ports.outputs.map((_output, place) => {
            const [labels, weights, present] = batch.slice(inputs.length + 3 * place);
            return { labels: labels!, weights: weights!, present: present! };
          }),
        );
      }
    });
  }

  /** All samples as one batch, which takes over the tensors. @throws MultigradError as {@link weighClasses} does */
  async asBatch(byOutput: ReadonlyMap<string, ClassWeight>): Promise<ModelBatch> {
    try {
      await this.weighClasses(byOutput);
    } catch (error) {
      this.dispose();
      throw error;
    }
    return assemble(this.#ports, this.#inputs, this.#outputs);
  }

  /** Frees the tensors of all samples. */
  dispose(): void {
    dispose([...this.#inputs, ...this.#outputs.flatMap(tensorsOf)]);
  }
}

function tensorsOf({ labels, weights, present }: OutputTensors): Tensor[] {
  return [labels, weights, present].filter((tensor) => tensor !== null);
}

/** Batches of a `tf.data.Dataset`, as a function of the epoch. */
export function datasetBatches(
  ports: Ports,
  dataset: DatasetLike<unknown>,
  classWeight: ReadonlyMap<string, ClassWeight>,
  batchesPerEpoch?: number,
): (epoch: number) => AsyncGenerator<ModelBatch, void> {
  return async function* () {
    const iterator = await dataset.iterator();
    for (let count = 0; count < (batchesPerEpoch ?? Infinity); count += 1) {
      const next = await iterator.next();
      if (next.done === true) return;
      try {
        const prepared = await PreparedSamples.read(ports, samplesOf(next.value));
        yield await prepared.asBatch(classWeight);
      } finally {
        dispose(next.value as Tensor[]);
      }
    }
  };
}

function samplesOf(element: unknown): Samples {
  const [x, y, sampleWeight] = Array.isArray(element)
    ? (element as readonly unknown[])
    : ((value: Readonly<Record<string, unknown>> | null) => [
        value?.['xs'],
        value?.['ys'],
        value?.['sampleWeight'],
      ])(element as Readonly<Record<string, unknown>> | null);
  if (x !== undefined && y !== undefined) return { x, y, sampleWeight } as Samples;
  throw new MultigradError(
    'invalid-data',
    `A dataset for a model should yield \`{ xs, ys }\` or \`[xs, ys]\`, as for \`LayersModel.fitDataset\`. Found ${describeValue(element)}.`,
  );
}

/** 1 for each sample with labels, 0 for the others; null where all have labels. */
function presenceOf(
  values: ArrayLike<number>,
  samples: number,
  sparse: boolean,
): Float32Array | null {
  const width = values.length / samples;
  const present = new Float32Array(samples).fill(1);
  let all = true;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index]!;
    if (!Number.isNaN(value) && !(sparse && value < 0)) continue;
    present[Math.floor(index / width)] = 0;
    all = false;
  }
  return all ? null : present;
}

/** Makes a batch of tensors, which it takes over; an output for which no sample has labels is left out. */
async function assemble(
  ports: Ports,
  inputs: readonly Tensor[],
  outputs: readonly OutputTensors[],
): Promise<ModelBatch> {
  const targets: (readonly [name: string, Targets])[] = [];
  for (const [place, tensors] of outputs.entries()) {
    const { name } = ports.outputs[place]!;
    const { labels, weights, present } = tensors;
    if (present === null) {
      targets.push([name, { labels, weights, rows: null }]);
      continue;
    }
    const chosen = rowsOf(await present.data());
    if (chosen.length > 0) {
      const rows = tensor1d(chosen, 'int32');
      targets.push([
        name,
        {
          labels: gather(labels, rows),
          weights: weights === null ? null : gather(weights, rows),
          rows,
        },
      ]);
    }
    dispose(tensorsOf(tensors));
  }
  return { inputs, targets: Object.fromEntries(targets) };
}

function rowsOf(present: ArrayLike<number>): Int32Array {
  return Int32Array.from(Array.from(present).flatMap((flag, sample) => (flag > 0 ? [sample] : [])));
}
