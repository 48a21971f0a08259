import { MultigradError } from '../base/errors.ts';
import type { ForwardResult } from '../network/objectives.ts';
import { type Level, observeGraph } from '../network/observe-graph.ts';
import { type OwnPass, type Pass, passAlone, recordForward } from '../network/passes.ts';
import { type RunVariable, tensorsOf } from '../network/run-variables.ts';
import { mergeViews, viewsOf } from '../ranks/agreement.ts';
import type { Collective } from '../ranks/collective.ts';
import type { Tape } from '../tape/tape.ts';
import type { TensorBag } from '../tape/ownership.ts';
import type { Forward } from './integrate-options.ts';

/** The input of `record`. */
export interface Recording {
  readonly forwards: readonly Forward[];
  readonly variables: readonly RunVariable[];
  readonly level: Level;
  /** Samples in each batch of this rank. */
  readonly samples: readonly number[] | undefined;
  /** Whether forward functions add up over the ranks themselves. */
  readonly sumsWithin: boolean;
}

/**
 * Runs each forward function once and records it. The graphs and numbers that it returns are those of all ranks together.
 *
 * @param tapes - takes the tapes as they are made; the caller disposes of them
 * @param bag - takes the tensors that the forward functions return
 */
export async function record(
  { forwards, variables, level, samples, sumsWithin }: Recording,
  collective: Collective,
  tapes: Tape<ForwardResult>[],
  bag: TensorBag,
): Promise<readonly [Pass, ...Pass[]]> {
  const tensors = tensorsOf(variables);
  const run = (): readonly OwnPass[] =>
    forwards.map((forward, batch) => {
      const tape = recordForward(forward, bag, collective.size > 1);
      tapes.push(tape);
      if (collective.size > 1) refuseSamples(tape.value);
      const graph = observeGraph(tape, tape.paths(tensors), variables, level);
      return { tape, graph, samples: samples?.[batch] ?? 1 };
    });
  // Ranks that wait for each other within the forward pass cannot exchange errors there.
  let own = sumsWithin ? run() : null;
  const passes = await collective.agree('forward passes', {
    view: async () => viewsOf((own ??= run())),
    merge: (views) =>
      mergeViews(own!, views, {
        ...{ rank: collective.rank, variables: variables.length, sumsWithin },
      }),
    alone: () => (own ?? run()).map(passAlone),
  });
  if (sumsWithin) checkEverywhere(passes);
  return passes as readonly [Pass, ...Pass[]];
}

/** Checks that every rank has every objective. @throws MultigradError `unsupported` on every rank */
function checkEverywhere(passes: readonly Pass[]): void {
  for (const { missing } of passes) {
    if (missing === null) continue;
    throw new MultigradError(
      'unsupported',
      `Batch norm over the samples of all ranks needs every objective on every rank. Found no sample of \`${missing.objective}\` on rank ${missing.rank}: ` +
        'let each rank normalise by its own samples.',
    );
  }
}

/** @throws MultigradError `unsupported` where single samples are objectives: inner products with those of other ranks would be missing */
function refuseSamples({ objectives }: ForwardResult): void {
  for (const { name, losses } of objectives) {
    if (losses === null) continue;
    throw new MultigradError(
      'unsupported',
      `Per-sample objectives need the whole batch in one process. Found \`${name}\` with \`perSample\` among several ranks.`,
    );
  }
}
