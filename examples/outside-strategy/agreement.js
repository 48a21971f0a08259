import { cosine, definePlugin, resolveOptions } from '@multigrad/core/strategy';

/** What can be set, for programs and command lines alike. */
const options = {
  floor: {
    kind: 'number',
    default: 0,
    minimum: 0,
    maximum: 1,
    description: 'The weight that no objective falls below, 0 to 1.',
  },
};

/**
 * Each gradient weighs as much as it agrees with the others: `w_k = max(floor, mean_j cos(g_k, g_j))`, with itself among
 * the j.
 *
 * @param {{ floor?: number }} given
 * @returns {import('@multigrad/core/strategy').GradientStrategy<null>}
 */
export function agreement(given = {}) {
  const { floor } = resolveOptions('agreement', options, given);
  return {
    specification: 1,
    name: 'agreement',
    // Inner products are enough; the engine computes and reads back just these.
    needs: { gradients: 'gramian' },
    init: () => null,
    integrate({ objectives, gramian }, state) {
      const weights = Float64Array.from(objectives, (_, k) => {
        const cosines = objectives.map((_other, j) => cosine(gramian, k, j));
        const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
        return Math.max(floor, mean);
      });
      return { weights, state };
    },
  };
}

/** What `multigrad compare --strategies multigrad-strategy-agreement` looks for. */
export const plugin = definePlugin({
  specification: 1,
  name: 'agreement',
  title: 'Agreement',
  summary: 'Weighs each gradient by its mean cosine with all of them.',
  paper: null,
  use: 'As an example of a strategy of your own.',
  properties: {
    nonConflicting: { not: 'a weak objective may be outvoted' },
    permutation: true,
    homogeneity: 1,
    linearUnderRowScaling: true,
    single: 1,
    stationary: 'moves',
  },
  options,
  create: agreement,
});
