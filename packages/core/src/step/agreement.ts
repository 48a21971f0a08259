import { MultigradError } from '../base/errors.ts';
import { numberFromJson, numberToJson } from '../base/non-finite-json.ts';
import { fromEach, type GradientExchange } from '../collective/gradient-exchange.ts';
import type { ForwardResult } from '../network/objectives.ts';
import { type ObservedGraph, quoted } from '../network/observe-graph.ts';
import { readTogether } from '../tape/read-back.ts';
import { samplesOf, sampleTensors, scalarsOf, sortNumbers, type StepNumbers } from './numbers.ts';
import type { Tape } from '../tape/tape.ts';

/** What one rank's forward pass saw of an objective. */
interface SeenObjective {
  readonly name: string;
  /** What its means are over. */
  readonly samples: number;
  readonly loss: number | string;
  readonly metrics: readonly (readonly [name: string, value: number | string])[];
}

/** What one rank's forward pass of one batch saw, variables and features by their place. */
interface Seen {
  readonly objectives: readonly SeenObjective[];
  /** For each variable the places of the objectives that reach it. */
  readonly reach: readonly (readonly number[])[];
  readonly features: readonly { readonly name: string; readonly reach: readonly number[] }[];
}

/** One batch as all ranks together see it. */
export interface AgreedBatch {
  /** Which objectives are present on any rank, and what they reach; features are this rank's own. */
  readonly graph: ObservedGraph;
  /** Means over all ranks' samples. */
  readonly numbers: StepNumbers;
  /** This rank's part of each objective's samples, 0 where it has none. */
  readonly shares: ReadonlyMap<string, number>;
  /** An objective that a rank lacks; null where all have every one. */
  readonly missing: { readonly objective: string; readonly rank: number } | null;
}

/** What the ranks agreed on before the sweeps of a step. */
export interface Agreement {
  readonly exchange: GradientExchange;
  readonly batches: readonly AgreedBatch[];
}

/** One batch of this rank. */
export interface OwnBatch {
  readonly tape: Tape<ForwardResult>;
  readonly graph: ObservedGraph;
  readonly samples: number;
}

/**
 * Runs the forward passes on every rank, and tells each what the others saw: which objectives are present, over how many
 * samples, what they reach. So all take part in the same exchanges afterwards, and an error of one is one of all.
 *
 * @param variables - how many there are
 */
export async function agree(
  exchange: GradientExchange,
  variables: number,
  forward: () => readonly OwnBatch[],
): Promise<{ readonly own: readonly OwnBatch[]; readonly agreement: Agreement }> {
  let own: readonly OwnBatch[] = [];
  const seen = await fromEach(exchange, 'forward passes', async () => {
    own = forward();
    return (await Promise.all(own.map(see))) as never;
  });
  const byRank = seen as unknown as readonly (readonly Seen[])[];
  checkLike(byRank, variables);
  const batches = own.map((batch, index) =>
    merge(
      batch,
      byRank.map((batches) => batches[index]!),
      exchange.rank,
    ),
  );
  return { own, agreement: { exchange, batches } };
}

async function see({ tape, graph, samples }: OwnBatch): Promise<Seen> {
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
      loss: numberToJson(numbers.losses[k]!),
      metrics: Object.entries(numbers.metrics[k]!).map(
        ([name, value]) => [name, numberToJson(value)] as const,
      ),
    })),
    reach: Array.from(graph.reach.values(), places),
    features: graph.features.map(({ name, reach }) => ({ name, reach: places(reach) })),
  };
}

/** @throws MultigradError `structure-changed` where the ranks do not train the same network */
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

function merge({ graph }: OwnBatch, seen: readonly Seen[], rank: number): AgreedBatch {
  // The fullest record first: objectives that some ranks lack keep their place among the others.
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
  const mean = (k: number, of: (own: SeenObjective) => number | string | undefined): number =>
    parts[k]!.reduce((sum, own) => sum + numberFromJson(of(own)) * own.samples, 0) / total[k]!;
  const lacking = objectives.flatMap((objective) =>
    seen.flatMap((one, other) =>
      one.objectives.some(({ name }) => name === objective) ? [] : [{ objective, rank: other }],
    ),
  );
  const reached = (reachOf: (one: Seen) => readonly number[]): Set<string> => {
    const names = seen.flatMap((one) => reachOf(one).map((place) => one.objectives[place]!.name));
    return new Set(objectives.filter((name) => names.includes(name)));
  };
  return {
    graph: {
      objectives,
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
          parts[k]![0]!.metrics.map(([metric], place) => [
            metric,
            mean(k, ({ metrics }) => metrics[place]?.[1]),
          ]),
        ),
      ),
    },
    shares: new Map(
      objectives.map((name, k) => {
        const own = counted[rank]!.find((objective) => objective.name === name);
        return [name, (own?.samples ?? 0) / total[k]!];
      }),
    ),
    missing: lacking[0] ?? null,
  };
}
