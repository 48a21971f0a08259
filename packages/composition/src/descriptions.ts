/** The description of a function that makes a strategy of another one, for listings. */
export interface CompositionDescription {
  /** The function's name. */
  readonly name: string;
  /** How it is called. */
  readonly call: string;
  /** One sentence that says what it makes of a strategy. */
  readonly summary: string;
  /** The update u, or the weights w, in plain text; ŵ are the weights that the strategy inside finds. */
  readonly formula: string;
  /** The publication, or null where there is none. */
  readonly paper: string | null;
  /** What it promises, and what it does not, in a sentence. */
  readonly promises: string;
  /** Each option with its meaning, range and default, by name. */
  readonly options: Readonly<Record<string, string>>;
}

/**
 * The descriptions of all functions of this package, for listings.
 *
 * @example
 * ```ts
 * import { descriptions } from '@multigrad/composition';
 *
 * console.log(descriptions.map(({ name }) => name).includes('weightMomentum')); // true
 * ```
 */
export const descriptions: readonly CompositionDescription[] = /* @__PURE__ */ Object.freeze([
  {
    name: 'normalizedGradients',
    call: 'normalizedGradients(strategy)',
    summary:
      'The strategy on gradients of unit length: the unit of an objective’s loss no longer matters.',
    formula: 'u = Σ_k ŵ_k g_k / |g_k|, ŵ found for the gradients g_k / |g_k|',
    paper: null,
    promises: 'A strategy that never conflicts keeps this promise, since lengths change no angle.',
    options: {},
  },
  {
    name: 'clippedGradients',
    call: 'clippedGradients(strategy, { norm: 1 })',
    summary: 'The strategy on gradients no longer than a bound.',
    formula: 'u = Σ_k ŵ_k c_k g_k, c_k = min(1, norm / |g_k|), ŵ found for the gradients c_k g_k',
    paper: null,
    promises: 'A strategy that never conflicts keeps this promise, since lengths change no angle.',
    options: { norm: 'Greatest length of a gradient, a number > 0. Has to be given.' },
  },
  {
    name: 'weightMomentum',
    call: 'weightMomentum(strategy, { alpha: 0.9 })',
    summary: 'The strategy with its weights averaged over steps (CR-MOGM).',
    formula: 'u = Σ_k w_k g_k, w ← α w + (1 − α) ŵ',
    paper:
      'Shiji Zhou, Wenpeng Zhang, Jiyan Jiang, Wenliang Zhong, Jinjie Gu, Wenwu Zhu, On the Convergence of Stochastic ' +
      'Multi-Objective Gradient Manipulation and Beyond, NeurIPS 2022, Algorithm 2',
    promises: 'Averaged weights may give an update that conflicts with an objective.',
    options: { alpha: 'Share of the previous weights in the new ones, from 0 to 1. Default 0.9.' },
  },
  {
    name: 'refreshedEvery',
    call: 'refreshedEvery(strategy, { steps: 4 })',
    summary:
      'The strategy asked once in several steps, its weights reused in between, which cost one backward pass (PSMGD).',
    formula: 'u = Σ_k w_k g_k, w = ŵ of the last step that asked',
    paper:
      'Mingjing Xu, Peizhong Ju, Jia Liu, Haibo Yang, PSMGD: Periodic Stochastic Multi-Gradient Descent for Fast ' +
      'Multi-Objective Optimization, AAAI 2025, https://arxiv.org/abs/2412.10961, Algorithm 1',
    promises: 'Reused weights may give an update that conflicts with an objective.',
    options: { steps: 'Steps from one refresh to the next, an integer >= 1. Has to be given.' },
  },
  {
    name: 'onlyObjectives',
    call: "onlyObjectives(strategy, ['depth', 'normals'], { others: 1 })",
    summary:
      'The strategy for some objectives, the gradients of the others added with a fixed weight.',
    formula: 'u = Σ_named ŵ_k g_k + others · Σ_other g_k',
    paper: null,
    promises: 'What the strategy promises holds among the named objectives alone.',
    options: { others: 'Weight of the objectives that are not named, a finite number. Default 1.' },
  },
  {
    name: 'perGroup',
    call: "perGroup({ 'trunk/*': strategy, default: other })",
    summary:
      'A strategy of its own for each parameter group, by the group’s key; * stands for anything.',
    formula: 'u of a group = u of the strategy whose pattern fits the group’s key',
    paper: null,
    promises: 'In each group what that group’s strategy promises.',
    options: {},
  },
]);
