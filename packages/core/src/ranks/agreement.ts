import { MultigradError } from '../base/errors.ts';
import type { Json } from '../base/json.ts';
import { numberFromJson, numberToJson } from '../base/non-finite-json.ts';
import { samplesOf, sampleTensors, scalarsOf, sortNumbers } from '../network/numbers.ts';
import { quoted } from '../network/observe-graph.ts';
import type { OwnPass, Pass } from '../network/passes.ts';
import { readTogether } from '../tape/read-back.ts';

/** An objective in one rank's forward pass. */
interface SeenObjective {
  readonly name: string;
  /** Number of samples that its mean is over. */
  readonly samples: number;
  readonly loss: number | string;
  readonly metrics: readonly (readonly [name: string, value: number | string])[];
}

/** One rank's forward pass of one batch. Variables and features are known by their index. */
interface Seen {
  readonly objectives: readonly SeenObjective[];
  /** For each variable the indices of the objectives that reach it. */
  readonly reach: readonly (readonly number[])[];
  readonly features: readonly { readonly name: string; readonly reach: readonly number[] }[];
}

/** What merging needs to know of this rank. */
export interface MergeOptions {
  readonly rank: number;
  /** Number of variables. */
  readonly variables: number;
  /** Whether forward functions add up over the ranks themselves. */
  readonly sumsWithin: boolean;
}

/** Describes this rank's forward passes for the other ranks. */
export async function viewsOf(own: readonly OwnPass[]): Promise<Json> {
  return (await Promise.all(own.map(see))) as unknown as Json;
}

/**
 * Merges the forward passes of all ranks: which objectives are present, how many samples they have, and what they reach.
 *
 * @param own - this rank's forward passes
 * @param views - the result of `viewsOf` on each rank
 * @throws MultigradError `structure-changed` where the ranks do not train the same network, `invalid-objective` where no
 *   rank has an objective
 */
export function mergeViews(
  own: readonly OwnPass[],
  views: readonly Json[],
  { rank, variables, sumsWithin }: MergeOptions,
): readonly Pass[] {
  const byRank = views as unknown as readonly (readonly Seen[])[];
  checkLike(byRank, variables);
  checkMetrics(byRank);
  return own.map((pass, index) =>
    merge(
      pass,
      byRank.map((passes) => passes[index]!),
      { rank, sumsWithin },
    ),
  );
}

async function see({ tape, graph, samples }: OwnPass): Promise<Seen> {
  const { objectives } = tape.value;
  const scalars = scalarsOf(objectives);
  const values = await readTogether([...scalars, ...sampleTensors(objectives)]);
  const numbers = sortNumbers(objectives, values);
  const counts = samplesOf(objectives, values.slice(scalars.length), samples);
  const places = (names: ReadonlySet<string>): number[] =>
    Array.from(names, (name) => graph.objectives.indexOf(name));
  return {
    objectives: objectives.map((objective, k) => ({
      name: objective.name,
      samples: counts[k]!,
      // A batch that counts for nothing has no loss.
      loss: numberToJson(samples === 0 ? NaN : numbers.losses[k]!),
      metrics: Object.entries(numbers.metrics[k]!).map(
        ([name, value]) => [name, numberToJson(value)] as const,
      ),
    })),
    reach: Array.from(graph.reach.values(), places),
    features: graph.features.map(({ name, reach }) => ({ name, reach: places(reach) })),
  };
}

/** Checks that all ranks train the same network. @throws MultigradError `structure-changed` */
function checkLike(byRank: readonly (readonly Seen[])[], variables: number): void {
  const form = (batches: readonly Seen[]): string =>
    `${batches.length} batches of a network with ${batches[0]?.reach.length ?? variables} variables and the features ` +
    `(${quoted(batches[0]?.features.map(({ name }) => name) ?? [])})`;
  byRank.forEach((batches, rank) => {
    if (form(batches) === form(byRank[0]!)) return;
    throw new MultigradError(
      'structure-changed',
      `All ranks should train the same network. Found ${form(byRank[0]!)} on rank 0, ${form(batches)} on rank ${rank}.`,
    );
  });
}

/** Checks that all ranks measure the same of an objective, in any order. @throws MultigradError `structure-changed` */
function checkMetrics(byRank: readonly (readonly Seen[])[]): void {
  const first = new Map<string, { readonly rank: number; readonly names: string }>();
  byRank.forEach((batches, rank) => {
    for (const { name, metrics, samples } of batches.flatMap(({ objectives }) => objectives)) {
      if (samples === 0) continue;
      const names = quoted(metrics.map(([metric]) => metric).sort());
      const before = first.get(name) ?? { rank, names };
      first.set(name, before);
      if (before.names === names) continue;
      throw new MultigradError(
        'structure-changed',
        `All ranks should measure the same of objective \`${name}\`. Found the metrics (${before.names}) on rank ${before.rank}, (${names}) on rank ${rank}.`,
      );
    }
  });
}

function merge(
  { tape, graph }: OwnPass,
  seen: readonly Seen[],
  { rank, sumsWithin }: Pick<MergeOptions, 'rank' | 'sumsWithin'>,
): Pass {
  // The rank with most objectives comes first: its order counts, so that a rank that lacks some changes nothing.
  const fullest = [...seen].sort((a, b) => b.objectives.length - a.objectives.length);
  const counted = seen.map(({ objectives }) => objectives.filter(({ samples }) => samples > 0));
  const present = new Set(counted.flat().map(({ name }) => name));
  const objectives = [
    ...new Set(fullest.flatMap((one) => one.objectives.map(({ name }) => name))),
  ].filter((name) => present.has(name));
  if (objectives.length === 0) {
    throw new MultigradError(
      'invalid-objective',
      'At least one objective should be present on one of the ranks. Found none.',
    );
  }
  const parts = objectives.map((name) =>
    counted.flatMap((own) => own.filter((objective) => objective.name === name)),
  );
  const total = parts.map((own) => own.reduce((sum, { samples }) => sum + samples, 0));
  const mean = (k: number, of: (own: SeenObjective) => number | string): number =>
    parts[k]!.reduce((sum, own) => sum + numberFromJson(of(own)) * own.samples, 0) / total[k]!;
  const metricsOf = (k: number): readonly string[] => parts[k]![0]!.metrics.map(([name]) => name);
  const lacking = objectives.flatMap((objective) =>
    seen.flatMap((one, other) =>
      // The loss of no samples may be a number, as with a sum: then its gradient is zero.
      one.objectives.some(
        ({ name, samples, loss }) =>
          name === objective && (samples > 0 || Number.isFinite(numberFromJson(loss))),
      )
        ? []
        : [{ objective, rank: other }],
    ),
  );
  const reached = (reachOf: (one: Seen) => readonly number[]): Set<string> => {
    const names = seen.flatMap((one) => reachOf(one).map((place) => one.objectives[place]!.name));
    return new Set(objectives.filter((name) => names.includes(name)));
  };
  const shares = new Map(
    objectives.map((name, k) => {
      const own = counted[rank]!.find((objective) => objective.name === name);
      return [name, (own?.samples ?? 0) / total[k]!];
    }),
  );
  return {
    tape,
    graph: {
      objectives,
      samples: null,
      reach: new Map(
        Array.from(graph.reach.keys(), (name, place) => [
          name,
          reached(({ reach }) => reach[place]!),
        ]),
      ),
      features: graph.features.map((feature, place) => ({
        ...feature,
        reach: reached(({ features }) => features[place]!.reach),
      })),
    },
    numbers: {
      losses: Float64Array.from(objectives, (_, k) => mean(k, ({ loss }) => loss)),
      metrics: objectives.map((_, k) =>
        Object.fromEntries(
          metricsOf(k).map((metric) => [
            metric,
            // `checkMetrics` has seen to it that every rank has it.
            mean(k, ({ metrics }) => metrics.find(([name]) => name === metric)![1]),
          ]),
        ),
      ),
    },
    shareOf: (objective) => shares.get(objective) ?? 0,
    sweeps: (objective) => sumsWithin || (shares.get(objective) ?? 0) > 0,
    missing: lacking[0] ?? null,
  };
}
