import {
  type GradientStrategy,
  MultigradError,
  type OptionsOf,
  own,
  resolveOptions,
} from '@multigrad/core/strategy';
import { assertFinite, softmax, valuesOf, withValues } from './losses.ts';

/** Descriptions of the options of {@link famo}. */
export const famoOptions = {
  /** Step size of the Adam optimizer that trains the weights' logits, above 0 up to 1000. @defaultValue 0.025 */
  learningRate: {
    kind: 'number',
    default: 0.025,
    exclusiveMinimum: 0,
    maximum: 1000,
    description:
      'Step size of the Adam optimizer that trains the logits of the weights, above 0 up to 1000: the larger, the faster they change.',
  },
  /** Weight decay of the logits, 0 … 1. @defaultValue 0.001 */
  decay: {
    kind: 'number',
    default: 0.001,
    minimum: 0,
    maximum: 1,
    description:
      'Weight decay of the logits of the weights, 0 to 1: the larger, the closer the weights stay to each other.',
  },
} as const;

/** Options of {@link famo}. */
export interface FamoOptions extends OptionsOf<typeof famoOptions> {}

type Numbers = Readonly<Record<string, number>>;

/** State of {@link famo}: logits, Adam's moments and steps, and the losses before the step, by objective. */
export type FamoState = {
  readonly logits: Numbers;
  readonly first: Numbers;
  readonly second: Numbers;
  readonly steps: Numbers;
  readonly before: Numbers;
};

/** Added to a loss before its logarithm. */
const floor = 1e-8;

/**
 * FAMO, fast adaptive multitask optimization: all losses are to fall at the same relative rate, at the cost of plain
 * training and one more forward pass.
 *
 * With `z = softmax(ξ)` and `D = L + 10⁻⁸`: `w_k = (z_k / D_k) / Σ_j z_j / D_j`, so the weights sum to 1. After the
 * optimizer's step `δ = log D_before − log D_after` on the same batch, and ξ takes a step of Adam (β .9 and .999, ε 10⁻⁸) along
 * `(diag z − z zᵀ) δ + decay · ξ`, from 0. Losses must be >= 0.
 *
 * An objective that is absent keeps its ξ and moments. One objective keeps its plain gradient.
 *
 * @throws MultigradError `invalid-option` for options that do not fit; `integrate` and `onStepEnd` throw
 *   `invalid-objective` for a loss below 0, `non-finite` for one that is NaN or infinite
 *
 * @example
 * ```ts
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { famo } from '@multigrad/scalarization';
 *
 * const { weights } = integrateMatrix(famo(), [[1], [2]], { losses: [1, 3] });
 * console.log(weights.map((weight) => Number(weight.toFixed(4)))); // Float64Array(2) [ 0.75, 0.25 ]
 * ```
 *
 * @see B. Liu, Y. Feng, P. Stone, Q. Liu, "FAMO: Fast Adaptive Multitask Optimization", NeurIPS 2023, Algorithm 1.
 * https://arxiv.org/abs/2306.03792
 */
export function famo(options: FamoOptions = {}): GradientStrategy<FamoState> {
  const { learningRate, decay } = resolveOptions<FamoOptions>('famo', famoOptions, options);
  return {
    specification: 1,
    name: 'famo',
    needs: { gradients: 'none', losses: 'now-and-after-step' },
    init: () => ({ logits: {}, first: {}, second: {}, steps: {}, before: {} }),
    integrate({ objectives, losses }, state) {
      const shifted = shiftedLosses(losses, objectives);
      const shares = softmax(valuesOf(state.logits, objectives, 0));
      // Divide by the smallest first: no quotient overflows.
      const least = shifted.reduce((a, b) => Math.min(a, b));
      const parts = shares.map((share, k) => share * (least / shifted[k]!));
      const total = parts.reduce((sum, part) => sum + part, 0);
      return {
        weights: parts.map((part) => part / total),
        state: {
          ...state,
          before: Object.fromEntries(objectives.map((name, k) => [name, shifted[k]!])),
        },
      };
    },
    onStepEnd(losses, objectives, state) {
      const present = objectives.filter((name) => Object.hasOwn(state.before, name));
      const after = shiftedLosses(losses, objectives);
      const change = Float64Array.from(
        present,
        (name) => Math.log(own(state.before, name)!) - Math.log(after[objectives.indexOf(name)]!),
      );
      if (present.length === 0) return state;
      const logits = valuesOf(state.logits, present, 0);
      const shares = softmax(logits);
      const mean = shares.reduce((sum, share, k) => sum + share * change[k]!, 0);
      const steps = valuesOf(state.steps, present, 0).map((count) => count + 1);
      const slope = shares.map((share, k) => share * (change[k]! - mean) + decay * logits[k]!);
      const first = valuesOf(state.first, present, 0).map((m, k) => 0.9 * m + 0.1 * slope[k]!);
      const second = valuesOf(state.second, present, 0).map(
        (v, k) => 0.999 * v + 0.001 * slope[k]! ** 2,
      );
      const next = logits.map((logit, k) => {
        const m = first[k]! / (1 - 0.9 ** steps[k]!);
        const v = second[k]! / (1 - 0.999 ** steps[k]!);
        return logit - (learningRate * m) / (Math.sqrt(v) + 1e-8);
      });
      return {
        logits: withValues(state.logits, present, next),
        first: withValues(state.first, present, first),
        second: withValues(state.second, present, second),
        steps: withValues(state.steps, present, steps),
        before: {},
      };
    },
  };
}

function shiftedLosses(losses: Float64Array, objectives: readonly string[]): Float64Array {
  assertFinite(losses, objectives);
  return losses.map((loss, k) => {
    if (loss >= 0) return loss + floor;
    throw new MultigradError(
      'invalid-objective',
      `The loss of objective \`${objectives[k]!}\` should be >= 0, because \`famo\` takes its logarithm. Found ${loss}.`,
    );
  });
}
