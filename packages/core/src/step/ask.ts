import type { Json } from '../base/json.ts';
import { needsAt } from '../contract/read-answer.ts';
import { consultStrategy, isStacked } from '../contract/consult-strategy.ts';
import type { GroupGradientsParts } from '../contract/group-gradients.ts';
import { integrationFromJson, integrationToJson } from '../contract/integration-json.ts';
import type { Integration } from '../contract/strategy.ts';
import type { StepNumbers } from '../network/numbers.ts';
import type { JsonForm } from '../ranks/collective.ts';
import { type Facts, type GroupGramians, readNumbers } from './measure.ts';
import { isConsulted, type PresentGroup, type StepContext } from './step-context.ts';
import { targetNames } from './backward.ts';

/** What the strategy decided at a step. */
export interface Answers {
  /** The answer for the whole run, of a strategy that sees no gradients; null for other strategies. */
  readonly run: Integration | null;
  /** The answers by group key, for the groups that the strategy was asked about. */
  readonly byGroup: ReadonlyMap<string, Integration>;
}

/**
 * Asks a strategy that needs no gradients at this step, before any backward pass.
 *
 * @returns null where it wants to see gradients
 */
export async function askBefore(
  context: StepContext,
  groups: readonly PresentGroup[],
): Promise<Answers | null> {
  const { strategy, state, objectives } = context;
  if (strategy.needs.gradients === 'none') {
    const early = isEarly(strategy.needs.losses) ? await readNumbers(context) : null;
    const known = {
      objectives,
      step: state.step,
      ...(early === null ? {} : { losses: early.losses }),
    };
    return { run: await askOnce(context, known), byGroup: new Map() };
  }
  const consulted = groups.filter((present) => isConsulted(context, present));
  const needs = consulted.map(({ group }) => needsAt(strategy, group.state));
  if (needs.length === 0 || needs.some(({ gradients }) => gradients !== 'none')) return null;
  const early = needs.some(({ losses }) => isEarly(losses)) ? await readNumbers(context) : null;
  return askGroups(context, consulted, ({ objectives: indices }) =>
    early === null ? {} : { losses: lossesOf(early, indices) },
  );
}

/** Asks a strategy that sees gradients. @param groups - those that were measured */
export async function ask(
  context: StepContext,
  groups: readonly PresentGroup[],
  { numbers: [numbers], gramians }: Facts,
): Promise<Answers> {
  const measured = new Map(groups.map((present, place) => [present, gramians[place]!]));
  return askGroups(
    context,
    groups.filter((present) => isConsulted(context, present)),
    (present) => ({
      ...shown(context, measured.get(present)!),
      losses: lossesOf(numbers, present.objectives),
    }),
  );
}

function shown(
  { strategy }: StepContext,
  { gramian, tensorGramians, stacked }: GroupGramians,
): Partial<GroupGradientsParts> {
  return { gramian, tensorGramians, ...(isStacked(strategy.needs) ? { stacked } : {}) };
}

async function askOnce(
  { strategy, state, collective }: StepContext,
  known: GroupGradientsParts,
): Promise<Integration> {
  return collective.fromFirst(
    'decisions',
    () => consultStrategy(strategy, known, state.run),
    answerForm([]),
  );
}

/** The answers of rank 0 on every rank. A `combine` function cannot be sent: each rank asks for its own, from the same numbers. */
async function askGroups(
  { strategy, state, collective }: StepContext,
  groups: readonly PresentGroup[],
  knownOf: (present: PresentGroup) => Partial<GroupGradientsParts>,
): Promise<Answers> {
  const consult = (present: PresentGroup): Integration =>
    consultStrategy(
      strategy,
      { objectives: present.names, step: state.step, ...knownOf(present) },
      present.group.state,
    );
  const answers = await collective.fromFirst('decisions', () => groups.map(consult), {
    toJson: (all) => all.map((one, place) => formOf(groups[place]!).toJson(one)),
    fromJson: (json) =>
      (json as readonly Json[]).map((one, place) => formOf(groups[place]!).fromJson(one)),
  });
  const complete = (answer: Integration, present: PresentGroup): Integration =>
    strategy.needs.gradients !== 'rows' || answer.combine !== undefined
      ? answer
      : { ...answer, combine: consult(present).combine! };
  return {
    run: null,
    byGroup: new Map(
      groups.map((present, place) => [present.group.key, complete(answers[place]!, present)]),
    ),
  };
}

function formOf({ group }: PresentGroup): JsonForm<Integration> {
  return answerForm(targetNames(group));
}

function answerForm(tensors: readonly string[]): JsonForm<Integration> {
  return {
    toJson: (answer) => integrationToJson(answer, tensors),
    fromJson: (json) => integrationFromJson(json, tensors),
  };
}

function lossesOf({ losses }: StepNumbers, objectives: readonly number[]): Float64Array {
  return Float64Array.from(objectives, (index) => losses[index]!);
}

/** Whether the strategy needs the losses before any backward pass. */
function isEarly(losses: string | undefined): boolean {
  return losses?.startsWith('now') === true;
}
