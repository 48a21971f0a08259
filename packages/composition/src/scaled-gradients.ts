import { type GradientStrategy, type Gramian, type Json, norms } from '@multigrad/core/strategy';
import { innerHooks, type Wrapped } from './inner-hooks.ts';
import { assertWeighing, innerView, needsAt } from './inner-strategy.ts';

/**
 * The strategy applied to gradients that are scaled first, each by a factor of its length.
 *
 * @param wrapper - name of the function that uses it, for messages
 * @throws MultigradError `unsupported` for a strategy that reads single coordinates, keeps a memory or looks at several
 *   batches
 */
export function scaledGradients(
  wrapper: string,
  prefix: string,
  strategy: GradientStrategy,
  factorOf: (length: number) => number,
): GradientStrategy<Wrapped> {
  assertWeighing(wrapper, strategy);
  const withGradients = (needs: GradientStrategy['needs']): GradientStrategy['needs'] =>
    needs.gradients === 'none' ? { ...needs, gradients: 'gramian' } : needs;
  return {
    specification: 1,
    name: `${prefix}-${strategy.name}`,
    needs: withGradients(strategy.needs),
    needsNow: ({ inner }) => withGradients(needsAt(strategy, inner)),
    init: (group) => ({ inner: strategy.init(group) }),
    integrate(gradients, { inner }) {
      const factors = norms(gradients.gramian).map(factorOf);
      const view = innerView(strategy, inner, gradients, {
        objectives: gradients.objectives,
        gramianOf: (gramian) => scaled(gramian, factors),
        lossesOf: (losses) => losses,
      });
      const integration = strategy.integrate(view, inner);
      const { tensorWeights } = integration;
      const divided = (weights: Float64Array): Float64Array =>
        weights.map((weight, k) => weight * factors[k]!);
      return {
        ...integration,
        weights: divided(integration.weights),
        ...(tensorWeights === undefined
          ? {}
          : {
              tensorWeights: new Map(
                Array.from(tensorWeights, ([name, weights]) => [name, divided(weights)]),
              ),
            }),
        state: { inner: integration.state },
      };
    },
    ...innerHooks<{ readonly inner: Json }>(strategy),
  };
}

/** The Gramian of the rows times their factors. */
function scaled({ size, values, relativeError }: Gramian, factors: Float64Array): Gramian {
  return {
    size,
    values: values.map(
      (value, at) => value * factors[Math.floor(at / size)]! * factors[at % size]!,
    ),
    // Two products and two quotients of rounded roots.
    relativeError: relativeError + 2 ** -50,
  };
}
