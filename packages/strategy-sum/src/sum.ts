import {
  type GradientStrategy,
  MultigradError,
  nearestName,
  type ObjectiveWeights,
  type OptionsOf,
  own,
  resolveOptions,
} from '@multigrad/core/strategy';

/** Descriptions of the options of {@link sum}. */
export const sumOptions = {
  /**
   * Weight of each objective by name, finite and >= 0; objectives that are not named weigh 1. Null weighs all 1.
   *
   * @defaultValue null
   */
  weights: {
    kind: 'weights',
    preference: 'counts',
    description:
      'Weight of each objective by name, a finite number >= 0; objectives that are not named weigh 1.',
  },
} as const;

/** Options of {@link sum}. */
export interface SumOptions extends OptionsOf<typeof sumOptions> {}

/**
 * The plain or weighted sum of the objectives' gradients: `u = Σ_k w_k g_k`, with `w_k = 1` unless given.
 *
 * It is what minimising the sum of the losses does, and it costs as much: the weights are known before the backward
 * pass, so one backward pass is enough. An objective that is absent at a step drops out of the sum; the others keep their
 * weights. A weight of 0 takes an objective out of training.
 *
 * @throws MultigradError `invalid-option` for options that do not fit; its `init` throws `invalid-objective` for a
 * weight of an objective that the network does not have
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { sum } from '@multigrad/strategy-sum';
 *
 * const jacobian = [
 *   [-4, 1, 1],
 *   [6, 1, 1],
 * ];
 * console.log(integrateMatrix(sum(), jacobian).update); // Float64Array(3) [ 2, 2, 2 ]
 *
 * const weighted = sum({ weights: { image: 0.5 } });
 * const { weights } = integrateMatrix(weighted, jacobian, { objectives: ['image', 'audio'] });
 * console.log(weights); // Float64Array(2) [ 0.5, 1 ]
 * ```
 */
export function sum(options: SumOptions = {}): GradientStrategy<null> {
  const { weights } = resolveOptions<SumOptions>('sum', sumOptions, options);
  return {
    specification: 1,
    name: 'sum',
    needs: { gradients: 'none' },
    init({ objectives }) {
      for (const name of Object.keys(weights ?? {})) assertObjective(name, objectives);
      return null;
    },
    integrate({ objectives }, state) {
      return { weights: Float64Array.from(objectives, (name) => weightOf(name, weights)), state };
    },
  };
}

function weightOf(name: string, weights: ObjectiveWeights | null): number {
  // Own names only: an objective may be called `constructor`.
  return weights === null ? 1 : (own(weights, name) ?? 1);
}

function assertObjective(name: string, objectives: readonly string[]): void {
  if (objectives.includes(name)) return;
  const nearest = nearestName(name, objectives);
  throw new MultigradError(
    'invalid-objective',
    `Option \`weights\` of \`sum\` weights the objective \`${name}\`, which the network does not have.` +
      (nearest === undefined ? '' : ` Did you mean \`${nearest}\`?`) +
      ` Its objectives: ${objectives.map((objective) => `\`${objective}\``).join(', ')}.`,
  );
}
