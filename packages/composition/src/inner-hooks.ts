import type { GradientStrategy, Json } from '@multigrad/core/strategy';

/** The state of a wrapper; `inner` is the state of the strategy that it wraps. */
export type Wrapped = { readonly inner: Json };

/** The hooks of a wrapper, which call those of the strategy it wraps, where that has them. */
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
