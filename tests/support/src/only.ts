import type { GradientStrategy } from '@multigrad/core/strategy';

/** Lets one objective's gradient through, but asks for the Gramian, so that the engine makes a backward pass for each objective. */
export function only(name: string): GradientStrategy {
  return {
    specification: 1,
    name: 'only',
    needs: { gradients: 'gramian' },
    init: () => null,
    integrate: ({ objectives }, state) => ({
      weights: Float64Array.from(objectives, (objective) => (objective === name ? 1 : 0)),
      state,
    }),
  };
}
