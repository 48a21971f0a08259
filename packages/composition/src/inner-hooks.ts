import type { GradientStrategy, Json } from '@multigrad/core/strategy';

/** The state of a wrapper: what the wrapped strategy remembers, among its own. */
export type Wrapped = { readonly inner: Json };

/** The hooks of a wrapper that hands them on to the strategy it wraps, where that one has them. */
export function innerHooks<State extends Wrapped>(
  strategy: GradientStrategy,
): Required<Pick<GradientStrategy<State>, 'onStepEnd' | 'onEpochEnd'>> {
  return {
    onStepEnd: (losses, objectives, state) => ({
      ...state,
      inner: strategy.onStepEnd?.(losses, objectives, state.inner) ?? state.inner,
    }),
    onEpochEnd: (losses, objectives, state) => ({
      ...state,
      inner: strategy.onEpochEnd?.(losses, objectives, state.inner) ?? state.inner,
    }),
  };
}
