import { tensor, type Tensor } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import { agree, type Agreement, type OwnBatch } from './agreement.ts';
import { fromRoot, type GradientExchange } from '../collective/gradient-exchange.ts';
import { fromFaithfulJson, toFaithfulJson } from '../base/faithful-json.ts';
import type { IntegrationState } from '../network/integration-state.ts';
import type { RunVariable } from '../network/run-variables.ts';
import type { TensorBag } from '../tape/tensor-bag.ts';

// What a step does once more where several ranks take it together.

/** Runs the forward passes; graphs are those of all ranks together. */
export async function forwardPasses(
  exchange: GradientExchange | undefined,
  variables: readonly RunVariable[],
  sumsWithin: boolean | undefined,
  run: () => readonly OwnBatch[],
): Promise<{ readonly own: readonly OwnBatch[]; readonly agreement: Agreement | null }> {
  if (exchange === undefined) return { own: run(), agreement: null };
  // Where ranks wait for each other within the forward pass there is nobody to tell of an error.
  const begun = sumsWithin === true ? run() : null;
  const { own, agreement } = await agree(exchange, variables.length, () => begun ?? run());
  if (sumsWithin === true) checkEverywhere(agreement);
  const agreed = own.map((batch, index) => ({ ...batch, graph: agreement.batches[index]!.graph }));
  return { own: agreed, agreement };
}

/** @throws MultigradError `unsupported` on every rank where one lacks an objective */
function checkEverywhere({ batches }: Agreement): void {
  for (const { missing } of batches) {
    if (missing === null) continue;
    throw new MultigradError(
      'unsupported',
      `Batch norm over the samples of all ranks needs every objective on every rank. Found no sample of \`${missing.objective}\` on rank ${missing.rank}: ` +
        'let each rank normalise by its own samples.',
    );
  }
}

/** The groups by this rank's names, and what the first rank's strategy begins with. */
export async function sharedStateOf(
  exchange: GradientExchange | undefined,
  make: () => IntegrationState,
): Promise<IntegrationState> {
  const own = make();
  if (exchange === undefined) return own;
  const { run, groups } = await fromRoot(exchange, 'initial states', () => ({
    run: toFaithfulJson(own.run, 'state of a strategy'),
    groups: own.groups.map(({ state }) => toFaithfulJson(state, 'state of a strategy')),
  }));
  return {
    ...own,
    run: fromFaithfulJson(run),
    groups: own.groups.map((group, g) => ({ ...group, state: fromFaithfulJson(groups[g]!) })),
  };
}

/** Whole gradients of the ranks' slices of them. */
export async function gatherGradients(
  exchange: GradientExchange,
  slices: readonly (readonly [name: string, slice: Tensor | null])[],
  variables: readonly RunVariable[],
  bag: TensorBag,
): Promise<readonly (readonly [name: string, gradient: Tensor | null])[]> {
  const present = slices.filter(([, slice]) => slice !== null);
  const own = await Promise.all(present.map(async ([, slice]) => slice!.data<'float32'>()));
  const variableOf = new Map(variables.map(({ name, variable }) => [name, variable]));
  const sizes = present.map(([name]) => variableOf.get(name)!.size);
  const whole = await exchange.allGather(own, sizes);
  const gradients = new Map(
    present.map(([name], index) => {
      return [name, bag.keep(tensor(whole[index]!, variableOf.get(name)!.shape))];
    }),
  );
  return slices.map(([name]) => [name, gradients.get(name) ?? null]);
}
