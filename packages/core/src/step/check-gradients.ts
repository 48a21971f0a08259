import { type Tensor, tensor, tidy, type Variable } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';
import { randomState, resumeRandom } from '../algebra/random.ts';
import type { Forward } from './integrate-options.ts';
import { checkKnownOptions, type OptionNames } from '../base/known-options.ts';
import { Claim } from '../network/claims.ts';
import {
  type NamedVariables,
  type RunVariable,
  runVariables,
  tensorsOf,
} from '../network/run-variables.ts';
import { readForward } from '../network/objectives.ts';
import { readTogether } from '../tape/read-back.ts';
import { recordForward } from '../network/passes.ts';
import { scoped, TensorBag } from '../tape/ownership.ts';

/** How gradients are checked. */
export interface CheckGradientsOptions {
  /** Entries of each variable that are tried, an integer >= 1. @defaultValue 3 */
  readonly samples?: number;
  /** Seed of the choice of entries, an integer. @defaultValue 0 */
  readonly seed?: number;
  /** Relative difference up to which a gradient counts as right, > 0: room for rounding and curvature. @defaultValue 0.02 */
  readonly tolerance?: number;
}

const optionNames: OptionNames<CheckGradientsOptions> = {
  samples: true,
  seed: true,
  tolerance: true,
};

/** How one objective's gradient for one variable compares with finite differences. */
export interface GradientCheck {
  readonly variable: string;
  readonly objective: string;
  /** The entry at which the two differ most, as an index into the variable's elements. */
  readonly element: number;
  readonly gradient: number;
  readonly difference: number;
  /** Whether every entry that was tried agrees. */
  readonly agrees: boolean;
}

// Step sizes for float32: small steps suffer from rounding, large ones from curvature and kinks; one of three is enough.
const steps = [1e-2, 2.5e-3, 4e-2];

/**
 * Compares gradients with central finite differences `(L(w + h) − L(w − h)) / 2h`, objective by objective, at a sample of
 * each variable's entries.
 *
 * An entry agrees where one of three step sizes gives `|g − d| <= tolerance (|g| + |d|)`, with allowance for the
 * rounding of the losses. Other changes of the forward pass, such as moving statistics, are not undone.
 *
 * @param forward - called often; every call must give the same values (the same dropout masks)
 * @param variables - the variables to try; of a model those of layers that are trainable now
 * @returns one entry for each objective and each variable that it reaches
 * @throws MultigradError `invalid-option`; `non-finite` when a loss is NaN or infinite; `interleaved-call` while another
 *   call has the variables
 *
 * @example
 * ```ts
 * import { checkGradients } from '@multigrad/core';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import '@tensorflow/tfjs-layers';
 *
 * const v = tf.variable(tf.tensor1d([1, 2]));
 * const checks = await checkGradients(() => ({ square: tf.sum(tf.square(v)) }), [v]);
 * console.log(checks.every(({ agrees }) => agrees)); // true
 * ```
 */
export async function checkGradients(
  forward: Forward,
  variables: NamedVariables,
  options: CheckGradientsOptions = {},
): Promise<GradientCheck[]> {
  checkKnownOptions('checkGradients', options, optionNames);
  const { samples = 3, seed = 0, tolerance = 0.02 } = options;
  if (!Number.isInteger(samples) || samples < 1) {
    throw new MultigradError(
      'invalid-option',
      `Option \`samples\` should be an integer >= 1. Found ${samples}.`,
    );
  }
  const known = runVariables(variables);
  return Claim.during('checkGradients', tensorsOf(known), () =>
    compare(forward, known, { samples, seed, tolerance }),
  );
}

async function compare(
  forward: Forward,
  variables: readonly RunVariable[],
  { samples, seed, tolerance }: Required<CheckGradientsOptions>,
): Promise<GradientCheck[]> {
  const byObjective = await gradientsOfEach(forward, tensorsOf(variables));
  const checks: GradientCheck[] = [];
  for (const [index, { name, variable }] of variables.entries()) {
    const { size } = variable;
    const random = resumeRandom(randomState(seed, 'check', variable.shape.join(), index));
    const elements = [...random.permutation(size).slice(0, samples)];
    const worst = new Map<string, { readonly check: GradientCheck; readonly excess: number }>();
    for (const element of elements) {
      const differences = await differencesAt(forward, variable, element);
      for (const [objective, gradients] of byObjective) {
        const values = gradients[index] ?? null;
        if (values === null) continue;
        const gradient = values[element]!;
        const [best] = differences
          .map(({ losses, h }) => {
            const { plus, minus } = losses.get(objective)!;
            const difference = (plus - minus) / (2 * h);
            const rounding = (8 * 2 ** -24 * Math.max(Math.abs(plus), Math.abs(minus))) / h;
            const allowed = tolerance * (Math.abs(gradient) + Math.abs(difference)) + rounding;
            return { difference, excess: Math.abs(gradient - difference) / (allowed + 1e-30) };
          })
          .sort((a, b) => a.excess - b.excess);
        const { difference, excess } = best!;
        if ((worst.get(objective)?.excess ?? -1) >= excess) continue;
        const check = { variable: name, objective, element, gradient, difference };
        worst.set(objective, { check: { ...check, agrees: excess <= 1 }, excess });
      }
    }
    checks.push(...Array.from(worst.values(), ({ check }) => check));
  }
  return checks;
}

/** Every objective's gradient for each variable, read back; null where it does not reach the variable. */
async function gradientsOfEach(
  forward: Forward,
  variables: readonly Variable[],
): Promise<ReadonlyMap<string, readonly (Float32Array | null)[]>> {
  const bag = new TensorBag();
  const tape = recordForward(forward, bag);
  try {
    const paths = tape.paths(variables);
    const found = new Map<string, readonly (Float32Array | null)[]>();
    for (const { name, loss } of tape.value.objectives) {
      const gradients = bag.keepAll(tape.backward([{ tensor: loss }], paths));
      const present = gradients.filter((gradient): gradient is Tensor => gradient !== null);
      const values = (await readTogether(present)).values();
      found.set(
        name,
        gradients.map((gradient) => (gradient === null ? null : values.next().value!)),
      );
    }
    return found;
  } finally {
    tape.dispose();
    bag.dispose();
  }
}

interface Differences {
  /** The distance by which the entry moved, as float32 rounded it. */
  readonly h: number;
  readonly losses: ReadonlyMap<string, { readonly plus: number; readonly minus: number }>;
}

async function differencesAt(
  forward: Forward,
  variable: Variable,
  element: number,
): Promise<Differences[]> {
  const whole = (await variable.data<'float32'>()).slice();
  const value = whole[element]!;
  const set = (to: number): void => {
    whole[element] = to;
    tidy(() => variable.assign(tensor(whole.slice(), variable.shape)));
  };
  const found: Differences[] = [];
  try {
    for (const step of steps) {
      const by = step * Math.max(0.1, Math.abs(value));
      const [up, down] = [Math.fround(value + by), Math.fround(value - by)];
      set(up);
      const plus = await lossesOf(forward);
      set(down);
      const minus = await lossesOf(forward);
      const losses = new Map(
        Array.from(plus, ([name, loss]) => [name, { plus: loss, minus: minus.get(name)! }]),
      );
      found.push({ h: (up - down) / 2, losses });
    }
  } finally {
    set(value);
  }
  return found;
}

async function lossesOf(forward: Forward): Promise<Map<string, number>> {
  const { names, losses } = scoped(() => {
    const { objectives } = readForward(forward());
    return {
      names: objectives.map(({ name }) => name),
      losses: objectives.map(({ loss }) => loss),
    };
  });
  try {
    const values = await readTogether(losses);
    return new Map(names.map((name, k) => [name, finite(name, values[k]![0]!)]));
  } finally {
    for (const loss of losses) loss.dispose();
  }
}

function finite(name: string, loss: number): number {
  if (Number.isFinite(loss)) return loss;
  throw new MultigradError(
    'non-finite',
    `The loss of objective \`${name}\` should be finite. Found ${loss}.`,
  );
}
