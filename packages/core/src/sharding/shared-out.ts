import { tensor, type Tensor, tidy, type Variable } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { differencesOfRanks } from '../base/json-differences.ts';
import type { ParameterGroup } from '../network/groups.ts';
import type { AnyOptimizer } from '../optimizers/optimizer.ts';
import { shapeText } from '../optimizers/tensor-differences.ts';
import { type BatchOrigin, batchOrigin, originFault } from '../ranks/batch-part.ts';
import type { Collective } from '../ranks/collective.ts';
import type { GradientExchange } from '../ranks/gradient-exchange.ts';
import { collectiveOf } from '../ranks/rank-collective.ts';
import { fromEach, fromRoot } from '../ranks/work-of-ranks.ts';
import type { Combinations } from '../rows/combination.ts';
import type { Modulation } from '../update/modulation.ts';
import type { Update } from '../update/update.ts';
import { ShardedVariables } from './sharded-variables.ts';
import type { BatchPlace, GatherOn, Sharding, VariableOf } from './sharding.ts';

/** The part of one of several ranks: its optimizer changes this rank's slices, then the ranks gather the new values. */
export class SharedOut implements Sharding {
  readonly collective: Collective;
  readonly whole = false;
  readonly #exchange: GradientExchange;
  readonly #shards: ShardedVariables;
  readonly #variables: ReadonlyMap<string, Variable>;
  readonly #statistics: ReadonlyMap<string, Variable>;
  /** Whether forward passes compute the statistics over the samples of all ranks. */
  readonly #synchronised: boolean;
  /** Describes the options of this rank's trainer. */
  readonly #describe: () => Json;
  #begun = false;
  /** Whether a step has been placed: the first one compares the batches of the ranks. */
  #placed = false;
  /** Whether a forward pass has added up over the ranks. */
  #added = false;
  #gathered: Tensor[] = [];

  constructor(
    exchange: GradientExchange,
    variables: ReadonlyMap<string, Variable>,
    statistics: ReadonlyMap<string, Variable>,
    synchronised: boolean,
    describe: () => Json,
  ) {
    if (synchronised && exchange.sumNow === null) {
      throw new MultigradError(
        'unsupported',
        'Option `synchronise` needs ranks that can add up within a forward pass, as those of MPI can. Found others.',
      );
    }
    this.collective = collectiveOf(exchange);
    this.#exchange = exchange;
    this.#describe = describe;
    this.#variables = variables;
    this.#statistics = statistics;
    this.#synchronised = synchronised;
    this.#shards = new ShardedVariables(variables, exchange);
  }

  /** The slices that this rank updates, by the name of their variable. */
  get variables(): ReadonlyMap<string, Variable> {
    return this.#shards.slices;
  }

  /** The optimizer that updates the slices of this rank in place of the given one. */
  optimizerFor(optimizer: AnyOptimizer): AnyOptimizer {
    return this.#shards.optimizerOf(optimizer);
  }

  /** Adds numbers up over the ranks within a forward pass; null where forward passes see this rank's samples alone. */
  get sumNow(): ((values: Float64Array) => void) | null {
    const { sumNow } = this.#exchange;
    if (!this.#synchronised || sumNow === null) return null;
    return (values) => {
      this.#added = true;
      sumNow(values);
    };
  }

  /** Compares options, then gives every rank the weights and statistics of rank 0. */
  async begin(): Promise<void> {
    if (this.#begun) return;
    const options = await fromEach(this.#exchange, 'options', this.#describe);
    const differences = differencesOfRanks(options);
    if (differences.length > 0) {
      throw new MultigradError(
        'structure-changed',
        `All ranks should train with the same options. Found\n${differences.join('\n')}`,
      );
    }
    const shared = [...this.#variables, ...this.#statistics];
    const forms = await fromEach(this.#exchange, 'variables', () =>
      shared.map(([name, { shape, dtype }]) => `${name} ${dtype} ${shapeText(shape)}`),
    );
    forms.forEach((form, rank) => {
      const place = form.findIndex((one, index) => one !== forms[0]![index]);
      if (form.length === forms[0]!.length && place < 0) return;
      throw new MultigradError(
        'structure-changed',
        `All ranks should train the same network. Found ${forms[0]!.length} variables and statistics on rank 0, ${form.length} on rank ${rank}` +
          `${place < 0 ? '' : `, where \`${form[place]}\` stands in the place of \`${forms[0]![place]}\``}.`,
      );
    });
    for (const [, own] of shared) {
      const values = Float32Array.from(await own.data<'float32'>());
      await this.#exchange.broadcast(values);
      assign(own, values);
    }
    this.#begun = true;
  }

  /** Finds the place of this rank's samples, and checks that ranks share out the same batches. */
  async place(batches: readonly unknown[], sizes: readonly number[]): Promise<BatchPlace> {
    const all = await fromEach(this.#exchange, 'batches', async () => ({
      sizes: [...sizes],
      origins: (await Promise.all(
        batches.map(async (batch) => batchOrigin(batch, !this.#placed)),
      )) as unknown as Json,
    }));
    const fault = originFault(
      all.map(({ origins }) => origins as unknown as readonly BatchOrigin[]),
    );
    if (fault !== null) throw new MultigradError('invalid-data', fault);
    this.#placed = true;
    const sum = (ranks: typeof all, batch: number): number =>
      ranks.reduce((total, { sizes: of }) => total + (of[batch] ?? 0), 0);
    return {
      first: sizes.map((_, batch) => sum(all.slice(0, this.#exchange.rank), batch)),
      total: sizes.map((_, batch) => sum(all, batch)),
    };
  }

  /** Changes this rank's slices by an update, then gathers the new values on every rank. */
  async apply(
    update: Update,
    combinations: Combinations,
    groups: readonly ParameterGroup[],
    step: number,
    modulations: ReadonlyMap<string, Modulation | null> = new Map(),
  ): Promise<void> {
    if (this.#synchronised && !this.#added) {
      throw new MultigradError(
        'invalid-option',
        'Option `synchronise` should be left out where no layer adds up over the ranks. Found none in the forward pass: ' +
          '`batchNormalization` of `@multigrad/models` does, `tf.layers.batchNormalization` normalises by the samples of its rank.',
      );
    }
    const shards = this.#shards;
    const changing = [...modulations].find(([, modulation]) => modulation?.change !== undefined);
    if (changing !== undefined) {
      throw new MultigradError(
        'unsupported',
        `A modulation among ranks may scale gradients, since each rank holds slices of them. Found one that changes the gradient of \`${changing[0]}\`.`,
      );
    }
    shards.load();
    const own = shards.combinationsOf(combinations);
    await update.apply(own, step, groups, modulations);
    const changed = [...combinations].filter(
      ([name, combination]) => combination !== null && modulations.get(name) !== null,
    );
    await shards.store(changed.map(([name]) => name));
  }

  /** Replaces statistics by their means over the ranks, unless forward passes computed them over all samples. */
  async shareStatistics(): Promise<void> {
    if (this.#synchronised || this.#statistics.size === 0) return;
    const own = await Promise.all(
      Array.from(this.#statistics.values(), async (one) => one.data<'float32'>()),
    );
    const sums = await this.#exchange.sum(Float64Array.from(own.flatMap((values) => [...values])));
    let offset = 0;
    for (const statistic of this.#statistics.values()) {
      const values = sums.slice(offset, (offset += statistic.size));
      assign(
        statistic,
        Float32Array.from(values, (sum) => sum / this.#exchange.size),
      );
    }
  }

  /**
   * Gathers slices into whole tensors, which live until `free`.
   *
   * @param slices - by name; a rank may lack those that are empty on it
   * @param variableOf - returns the name of the variable that a tensor is a slice for; null for what every rank has whole
   */
  async gather(
    slices: ReadonlyMap<string, Tensor>,
    variableOf: VariableOf,
    on: GatherOn,
  ): Promise<ReadonlyMap<string, Tensor>> {
    const names = await fromRoot(this.#exchange, 'snapshot', () => [...slices.keys()]);
    const cut = names.filter((name) => this.#variables.has(variableOf(name) ?? ''));
    const whole = await this.#shards.gather(
      on,
      cut.map((name) => ({
        slice: slices.get(name) ?? null,
        shape: this.#variables.get(variableOf(name)!)!.shape,
      })),
    );
    this.#gathered.push(...whole);
    const wholeOf = new Map(whole.map((one, index) => [cut[index]!, one]));
    const given = new Set(cut);
    return new Map(
      names
        .filter((name) => wholeOf.has(name) || !given.has(name))
        .map((name) => [name, wholeOf.get(name) ?? slices.get(name)!]),
    );
  }

  /** The shape of a variable, of which every rank holds a slice. */
  shapeOf(variable: string): readonly number[] | null {
    return this.#variables.get(variable)?.shape ?? null;
  }

  /** Cuts whole tensors into this rank's slices; those that are `slices` already are as they are. All of the result are new. */
  cut(
    tensors: ReadonlyMap<string, Tensor>,
    variableOf: VariableOf,
    slices: ReadonlyMap<string, readonly number[]>,
  ): ReadonlyMap<string, Tensor> {
    return new Map(
      Array.from(tensors, ([name, value]) => {
        if (slices.has(name)) return [name, value.clone()];
        const variable = this.#variables.get(variableOf(name) ?? '');
        const fits = variable !== undefined && shapeText(variable.shape) === shapeText(value.shape);
        return [name, fits ? this.#shards.cut(value) : value.clone()];
      }),
    );
  }

  /** Frees the tensors that were gathered for a snapshot. */
  free(): void {
    for (const one of this.#gathered) one.dispose();
    this.#gathered = [];
  }

  /** Frees the slices and what was gathered. */
  dispose(): void {
    this.free();
    this.#shards.dispose();
  }
}

function assign(variable: Variable, values: Float32Array): void {
  tidy(() => variable.assign(tensor(values, variable.shape, 'float32')));
}
