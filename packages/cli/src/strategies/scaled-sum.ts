import { type StrategyPlugin, definePlugin } from '@multigrad/core/strategy';

/**
 * The fair baseline beside MMPareto: the plain sum with the gradients of shared parameters multiplied by a constant.
 *
 * Where gradients agree MMPareto's step is `gamma` times that of the sum; this takes the same step and integrates
 * nothing. Parameters of one objective, such as heads, keep their plain gradient, as under MMPareto.
 *
 * @remarks
 * It asks for the gradients only to be given the same groups as MMPareto, so its time per step is not that of a sum.
 */
export const scaledSumPlugin: StrategyPlugin = definePlugin<{ readonly factor?: number }>({
  specification: 1,
  name: 'scaled-sum',
  title: 'Sum, shared parameters faster',
  summary: 'Baseline: the sum, with gradients of shared parameters multiplied by a constant.',
  paper: null,
  formula:
    'u = factor · Σ_k g_k where several objectives share the parameters, g_k where one has its own',
  options: {
    factor: {
      kind: 'number',
      default: 1.5,
      exclusiveMinimum: 0,
      description: 'What gradients of shared parameters are multiplied by, a number > 0.',
    },
  },
  create: ({ factor = 1.5 } = {}) => ({
    specification: 1,
    name: 'scaled-sum',
    needs: { gradients: 'gramian' },
    init: () => null,
    integrate: ({ objectives }, state) => ({
      weights: new Float64Array(objectives.length).fill(factor),
      state,
    }),
  }),
});
