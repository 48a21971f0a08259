import { tensor, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import { addGramians, norms } from '../algebra/gramian-of.ts';
import type { Gramian } from '../algebra/gramian.ts';
import { own } from '../base/own.ts';
import { checkLosses } from '../contract/check-losses.ts';
import { scalarsOf, sortNumbers, type StepNumbers } from '../network/numbers.ts';
import { tensorsOf } from '../network/run-variables.ts';
import type { Combination } from '../rows/combination.ts';
import { checkWeights } from '../rows/combination.ts';
import { firstNonFinite, nonFiniteGradient, startChecks } from '../rows/finite-checks.ts';
import { checkProbes, startGramiansOfSamples } from '../samples/gramians-of-samples.ts';
import { finishSampleGramian, type SampleWay } from '../samples/sample-gramian.ts';
import { readTogether } from '../tape/read-back.ts';
import { type Answers, ask, askBefore } from './ask.ts';
import { type Combined, nextState, wordsOf } from './combine.ts';
import type { Facts, GroupGramians } from './measure.ts';
import type { GroupReport } from './report.ts';
import { checkForgetful, checkSampleStrategy, sampleNames } from './sample-state.ts';
import type { PresentGroup, StepContext } from './step-context.ts';

/** What a step over single samples gives beside gradients and reports. */
export interface SampleStep {
  readonly combined: Combined;
  /** Loss and metrics of the objective that the samples belong to. */
  readonly numbers: StepNumbers;
  readonly backwardPasses: number;
}

/**
 * Takes a step in which each sample is an objective: one backward pass for the Gramians of all samples, then one of the
 * weighted sum of their losses, or one for each set of weights where groups or tensors have their own.
 */
export async function takeSampleStep(whole: StepContext, losses: Tensor1D): Promise<SampleStep> {
  const { strategy, state, bag } = whole;
  checkSampleStrategy(strategy);
  checkOptions(whole);
  const names = sampleNames(losses.size);
  const groups = state.groups.map((group): PresentGroup => ({
    group,
    objectives: [...names.keys()],
    names,
  }));
  const { numbers, samples } = await readLosses(whole, losses);
  const [pass] = whole.passes;
  const context: StepContext = {
    ...whole,
    objectives: names,
    passes: [{ ...pass, numbers: { losses: samples, metrics: names.map(() => ({})) } }],
  };
  const early = await askBefore(context, groups);
  const measured =
    early !== null && !context.observe ? null : await measureSamples(context, losses, groups);
  const answers = early ?? (await ask(context, groups, measured!.facts));
  for (const { state: next } of answers.byGroup.values()) checkForgetful(strategy, next);
  whole.plans?.countPlain('single samples are objectives');
  const { gradients, passes } = backwardWeighted(context, losses, groups, answers);
  const checks = startChecks(whole.variables, gradients, bag);
  const broken = await firstNonFinite(
    whole.variables,
    checks,
    await readTogether(checks.packed),
    (flags) => whole.collective.sum(flags),
  );
  if (broken !== null) {
    const group = state.groups.find(({ variables }) => variables.includes(broken));
    throw nonFiniteGradient(null, group?.key ?? '', broken, state.step);
  }
  const combinations = whole.variables.map(({ name }, index): [string, Combination | null] => {
    const gradient = gradients[index] ?? null;
    return [name, gradient === null ? null : { rows: [gradient], weights: [1 / whole.lossScale] }];
  });
  return {
    combined: {
      combinations: new Map(combinations),
      groups: groups.map((present, place) =>
        reportOf(
          present,
          answers,
          measured?.facts.gramians[place]?.gramian ?? null,
          measured?.ways ?? null,
        ),
      ),
      state: nextState(state, answers),
      memory: null,
      backwardPasses: 0,
    },
    numbers,
    backwardPasses: passes + (measured === null ? 0 : 1),
  };
}

function checkOptions({ clipObjectives, state }: StepContext): void {
  const found =
    clipObjectives !== undefined
      ? '`clipObjectives`'
      : state.level === 'features'
        ? "`level: 'features'`"
        : null;
  if (found === null) return;
  throw new MultigradError(
    'unsupported',
    `With per-sample objectives gradients are integrated at parameters, without a limit for each. Found ${found}.`,
  );
}

/** Reads the losses of all samples, with the mean and the metrics. */
async function readLosses(
  { passes: [{ tape }], state }: StepContext,
  losses: Tensor,
): Promise<{ readonly numbers: StepNumbers; readonly samples: Float64Array }> {
  const { objectives } = tape.value;
  const [read, ...scalars] = await readTogether([losses, ...scalarsOf(objectives)]);
  const samples = Float64Array.from(read!);
  checkLosses(sampleNames(samples.length), samples, state.step);
  return { numbers: sortNumbers(objectives, scalars), samples };
}

interface Measured {
  readonly facts: Facts;
  readonly ways: ReadonlyMap<string, SampleWay>;
}

async function measureSamples(
  { passes: [pass], variables, bag, lossScale, lossWeights, state }: StepContext,
  losses: Tensor,
  groups: readonly PresentGroup[],
): Promise<Measured> {
  const { gramians, probes } = startGramiansOfSamples(
    pass.tape,
    losses,
    tensorsOf(variables),
    bag,
    lossScale,
  );
  const reached = variables.flatMap(({ name }, index) => {
    const pending = gramians[index] ?? null;
    return pending === null ? [] : [{ name, pending }];
  });
  const values = await readTogether([
    ...probes.map(({ packed }) => packed),
    ...reached.map(({ pending }) => pending.packed),
  ]);
  checkProbes(probes, values);
  const factor = (own(lossWeights, pass.tape.value.objectives[0]!.name) ?? 1) / lossScale;
  const byName = new Map(
    reached.map(({ name, pending }, index) => [
      name,
      finishSampleGramian(pending, values[probes.length + index]!, factor),
    ]),
  );
  const grouped = groups.map(({ group, names }): GroupGramians => {
    const tensorGramians = new Map<string, Gramian>();
    for (const name of group.variables) {
      const part = byName.get(name);
      if (part === undefined) continue;
      tensorGramians.set(name, part);
      const culprit = names.findIndex(
        (_, k) => !Number.isFinite(part.values[k * (part.size + 1)]!),
      );
      if (culprit >= 0) throw nonFiniteGradient(names[culprit]!, group.key, name, state.step);
    }
    const gramian = addGramians(tensorGramians.values());
    return { gramian, tensorGramians, stacked: gramian };
  });
  return {
    facts: { numbers: [pass.numbers!], vectors: [], gramians: grouped },
    ways: new Map(reached.map(({ name, pending }) => [name, pending.way])),
  };
}

/** Makes one backward pass of `Σ_i w_i L_i` for each different w, to the variables that have it. */
function backwardWeighted(
  { passes: [{ tape }], variables, bag, lossScale, lossWeights }: StepContext,
  losses: Tensor,
  groups: readonly PresentGroup[],
  answers: Answers,
): { readonly gradients: readonly (Tensor | null)[]; readonly passes: number } {
  const factor = (own(lossWeights, tape.value.objectives[0]!.name) ?? 1) * lossScale;
  const sets = new Map<string, { weights: Float64Array; members: number[] }>();
  variables.forEach(({ name }, index) => {
    const weights = weightsFor(name, groups, answers);
    const key = weights.join();
    const set = sets.get(key) ?? { weights, members: [] };
    set.members.push(index);
    sets.set(key, set);
  });
  const gradients: (Tensor | null)[] = variables.map(() => null);
  for (const { weights, members } of sets.values()) {
    checkWeights(weights);
    const gradient = bag.keep(tensor(Float32Array.from(weights, (weight) => weight * factor)));
    const paths = tape.paths(members.map((index) => variables[index]!.variable));
    const found = bag.keepAll(tape.backward([{ tensor: losses, gradient }], paths));
    members.forEach((index, place) => {
      gradients[index] = found[place] ?? null;
    });
  }
  return { gradients, passes: sets.size };
}

function weightsFor(
  variable: string,
  groups: readonly PresentGroup[],
  { run, byGroup }: Answers,
): Float64Array {
  if (run !== null) return run.weights;
  const present = groups.find(({ group }) => group.variables.includes(variable))!;
  const answer = byGroup.get(present.group.key);
  return (
    answer?.tensorWeights?.get(variable) ??
    answer?.weights ??
    new Float64Array(present.names.length).fill(1)
  );
}

function reportOf(
  present: PresentGroup,
  { run, byGroup }: Answers,
  gramian: Gramian | null,
  ways: ReadonlyMap<string, SampleWay> | null,
): GroupReport {
  const answer = run ?? byGroup.get(present.group.key);
  const weights = answer?.weights ?? new Float64Array(present.names.length).fill(1);
  return {
    key: present.group.key,
    objectives: present.names,
    norms: gramian === null ? null : [...norms(gramian)],
    cosines: null,
    weights: [...weights],
    conflict: gramian?.values.some((value) => value < 0) ?? null,
    ...wordsOf(answer),
    ...(gramian === null || ways === null
      ? {}
      : {
          samples: {
            gramian,
            ways: Object.fromEntries(
              present.group.variables.flatMap((name) => {
                const way = ways.get(name);
                return way === undefined ? [] : [[name, way]];
              }),
            ),
          },
        }),
  };
}
