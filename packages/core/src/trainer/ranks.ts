import type { Tensor } from '@tensorflow/tfjs-core';
import { tensor, tidy, type Variable } from '@tensorflow/tfjs-core';
import { fromEach, fromRoot, type GradientExchange } from '../collective/gradient-exchange.ts';
import type { Combination } from '../rows/combination.ts';
import { materialise } from '../rows/combination.ts';
import type { ParameterGroup } from '../network/groups.ts';
import { MultigradError } from '../base/errors.ts';
import { ShardedVariables } from './sharded-variables.ts';
import { shapeText } from '../optimizers/tensor-differences.ts';
import type { Update } from '../update/update.ts';

/** Where a rank's batch lies among those of the others. */
export interface RankPlace {
  /** Samples before it, of each batch of the step. */
  readonly first: readonly number[];
  /** Samples of all ranks in each batch of the step. */
  readonly total: readonly number[];
}

/** What a trainer that is one of several ranks does beside training. */
export class Ranks {
  readonly exchange: GradientExchange;
  readonly shards: ShardedVariables;
  readonly #variables: ReadonlyMap<string, Variable>;
  readonly #statistics: ReadonlyMap<string, Variable>;
  /** Whether forward passes keep the statistics alike. */
  readonly #synchronised: boolean;
  #begun = false;
  #gathered: Tensor[] = [];

  constructor(
    exchange: GradientExchange,
    variables: ReadonlyMap<string, Variable>,
    statistics: ReadonlyMap<string, Variable>,
    synchronised: boolean,
  ) {
    if (synchronised && exchange.sumNow === null) {
      throw new MultigradError(
        'unsupported',
        'Option `synchronise` needs ranks that can add up within a forward pass, as those of MPI can. Found others.',
      );
    }
    this.exchange = exchange;
    this.#variables = variables;
    this.#statistics = statistics;
    this.#synchronised = synchronised;
    this.shards = new ShardedVariables(variables, exchange);
  }

  /** What forward passes add up with; null where they keep to their own samples. */
  get sumNow(): ((values: Float64Array) => void) | null {
    return this.#synchronised ? this.exchange.sumNow : null;
  }

  /** Gives every rank the first one's weights and statistics, before the first step. */
  async begin(): Promise<void> {
    if (this.#begun) return;
    const shared = [...this.#variables, ...this.#statistics];
    const forms = await fromEach(this.exchange, 'variables', () =>
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
      await this.exchange.broadcast(values);
      assign(own, values);
    }
    this.#begun = true;
  }

  /** @param sizes - samples of each batch of this rank */
  async place(sizes: readonly number[]): Promise<RankPlace> {
    const all = await fromEach(this.exchange, 'batch sizes', () => [...sizes]);
    const sum = (ranks: readonly (readonly number[])[], batch: number): number =>
      ranks.reduce((total, of) => total + (of[batch] ?? 0), 0);
    return {
      first: sizes.map((_, batch) => sum(all.slice(0, this.exchange.rank), batch)),
      total: sizes.map((_, batch) => sum(all, batch)),
    };
  }

  /** Lets an optimizer change this rank's slices, and every rank have the new values. */
  async apply(
    update: Update,
    combinations: ReadonlyMap<string, Combination | null>,
    groups: readonly ParameterGroup[],
    step: number,
  ): Promise<void> {
    const { shards } = this;
    shards.load();
    const own = shards.combinationsOf(combinations);
    if (update.combines) await update.applyCombinations(own, step, groups);
    else await applySums(update, own, groups, step);
    const changed = [...combinations].filter(([, combination]) => combination !== null);
    await shards.store(changed.map(([name]) => name));
  }

  /** Means over the ranks, where forward passes let each follow its own samples. */
  async shareStatistics(): Promise<void> {
    if (this.#synchronised || this.#statistics.size === 0) return;
    const own = await Promise.all(
      Array.from(this.#statistics.values(), async (one) => one.data<'float32'>()),
    );
    const sums = await this.exchange.sum(Float64Array.from(own.flatMap((values) => [...values])));
    let offset = 0;
    for (const statistic of this.#statistics.values()) {
      const values = sums.slice(offset, (offset += statistic.size));
      assign(
        statistic,
        Float32Array.from(values, (sum) => sum / this.exchange.size),
      );
    }
  }

  /**
   * Whole tensors for a snapshot in the place of slices: those whose names are, or end in, the name of a variable. They
   * last until `free`.
   *
   * @param slices - by name; a rank may lack those of which it has no number
   * @param variableOf - the name of the variable that one is a slice for; null for what all ranks have whole
   */
  async gather(
    slices: ReadonlyMap<string, Tensor>,
    variableOf: (name: string) => string | null,
  ): Promise<ReadonlyMap<string, Tensor>> {
    const names = await fromRoot(this.exchange, 'snapshot', () => [...slices.keys()]);
    const cut = names.filter((name) => this.#variables.has(variableOf(name) ?? ''));
    const whole = await this.shards.gather(
      cut.map((name) => ({
        slice: slices.get(name) ?? null,
        shape: this.#variables.get(variableOf(name)!)!.shape,
      })),
    );
    this.#gathered.push(...whole);
    const wholeOf = new Map(cut.map((name, index) => [name, whole[index]!]));
    return new Map(names.map((name) => [name, wholeOf.get(name) ?? slices.get(name)!]));
  }

  /** This rank's slices of what `gather` put together: new tensors, all of them. */
  cut(
    whole: ReadonlyMap<string, Tensor>,
    variableOf: (name: string) => string | null,
  ): ReadonlyMap<string, Tensor> {
    return new Map(
      Array.from(whole, ([name, value]) => {
        const variable = this.#variables.get(variableOf(name) ?? '');
        const fits = variable !== undefined && shapeText(variable.shape) === shapeText(value.shape);
        return [name, fits ? this.shards.cut(value) : value.clone()];
      }),
    );
  }

  free(): void {
    for (const one of this.#gathered) one.dispose();
    this.#gathered = [];
  }

  dispose(): void {
    this.free();
    this.shards.dispose();
  }
}

/** The variable's name in that of a slot, `slot/variable`. */
export function slotVariable(slot: string): string | null {
  const end = slot.indexOf('/');
  return end < 0 ? null : slot.slice(end + 1);
}

async function applySums(
  update: Update,
  combinations: ReadonlyMap<string, Combination | null>,
  groups: readonly ParameterGroup[],
  step: number,
): Promise<void> {
  const sums = new Map<string, Tensor>();
  try {
    for (const [name, combination] of combinations) {
      if (combination !== null) sums.set(name, materialise(combination));
    }
    await update.apply(sums, step, groups);
  } finally {
    for (const sum of sums.values()) sum.dispose();
  }
}

function assign(variable: Variable, values: Float32Array): void {
  tidy(() => variable.assign(tensor(values, variable.shape, 'float32')));
}
