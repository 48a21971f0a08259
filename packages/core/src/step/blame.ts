import { firstNonFinite, nonFiniteGradient, startChecks } from '../rows/finite-checks.ts';
import { tensorsOf } from '../network/run-variables.ts';
import { readTogether } from '../tape/read-back.ts';
import type { StepContext } from './step-context.ts';
import { seedOf } from './backward.ts';

/** An objective with a gradient that is not finite, and the index of the variable. */
type Culprit = { readonly objective: string; readonly place: number };

/**
 * Makes the error for a gradient of the weighted sum of losses that is not finite. It makes a backward pass for each
 * objective to find the one whose gradient is not finite, on any rank.
 *
 * @param variable - the first variable whose gradient is not finite
 */
export async function blame(context: StepContext, variable: string): Promise<Error> {
  const { collective, variables, state } = context;
  const found = await collective.fromEach('culprits', async () => findCulprit(context));
  const culprit = found.find((one) => one !== null) ?? null;
  const place = culprit?.place ?? variables.findIndex(({ name }) => name === variable);
  const { name } = variables[place]!;
  const group = state.groups.find((one) => one.variables.includes(name))?.key ?? '';
  return nonFiniteGradient(culprit?.objective ?? null, group, name, state.step);
}

/** The first objective whose own gradient is not finite on this rank. */
async function findCulprit(context: StepContext): Promise<Culprit | null> {
  const { passes, variables, bag } = context;
  const [pass] = passes;
  const paths = pass.tape.paths(tensorsOf(variables));
  for (const objective of pass.tape.value.objectives) {
    if (!pass.sweeps(objective.name)) continue;
    const found = bag.keepAll(pass.tape.backward([seedOf(context, pass, objective)], paths));
    const checks = startChecks(variables, found, bag);
    const values = await readTogether(checks.packed);
    const broken = await firstNonFinite(variables, checks, values, async (flags) =>
      Promise.resolve(flags),
    );
    if (broken === null) continue;
    const place = variables.findIndex(({ name }) => name === broken);
    return { objective: objective.name, place };
  }
  return null;
}
