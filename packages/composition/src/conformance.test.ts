import { strategyConformance } from '@multigrad/conformance';
import {
  definePlugin,
  type GradientStrategy,
  type StrategyProperties,
} from '@multigrad/core/strategy';
import { mgda } from '@multigrad/strategy-mgda';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { pcgrad } from '@multigrad/strategy-pcgrad';
import { sum } from '@multigrad/strategy-sum';
import { describe, it } from 'vitest';
import {
  normalizedGradients,
  onlyObjectives,
  perGroup,
  refreshedEvery,
  weightMomentum,
} from './index.ts';

function conformance(
  create: () => GradientStrategy,
  summary: string,
  properties: StrategyProperties,
): void {
  const { name } = create();
  strategyConformance(
    { describe, it },
    {
      plugin: definePlugin({
        specification: 1,
        name,
        title: name,
        summary,
        paper: null,
        options: {},
        create,
      }),
      properties,
    },
  );
}

const shortest = 'the shortest combination is not linear in the gradients';

conformance(
  () => normalizedGradients(mgda()),
  'Takes the shortest combination of unit gradients.',
  {
    nonConflicting: true,
    permutation: true,
    homogeneity: 0,
    linearUnderRowScaling: { not: 'gradients are taken at unit length' },
    single: ({ length }) => 1 / length,
    stationary: 'zero',
  },
);

conformance(() => weightMomentum(mmpareto({ rescale: 'tensor' })), 'Averages weights over steps.', {
  nonConflicting: { not: 'weights are those of other steps' },
  permutation: 'independent',
  homogeneity: 1,
  linearUnderRowScaling: { not: shortest },
  single: 1.5,
  stationary: 'moves',
});

conformance(() => refreshedEvery(mgda(), { steps: 2 }), 'Finds weights at every second step.', {
  nonConflicting: { not: 'weights are those of other steps' },
  permutation: 'independent',
  homogeneity: 1,
  linearUnderRowScaling: { not: shortest },
  single: 1,
  stationary: 'moves',
});

conformance(() => onlyObjectives(mgda(), ['image', 'constructor', '__proto__']), 'Weighs three.', {
  nonConflicting: { not: 'the others are added as they are' },
  permutation: true,
  homogeneity: 1,
  linearUnderRowScaling: { not: shortest },
  single: 1,
  stationary: 'moves',
});

conformance(
  () => perGroup({ 'gr*p': refreshedEvery(pcgrad(), { steps: 3 }), default: sum() }),
  'Serves the group by PCGrad.',
  {
    nonConflicting: { not: 'weights are those of other steps' },
    permutation: { not: 'corrections come in random order' },
    homogeneity: 1,
    linearUnderRowScaling: true,
    single: 1,
    stationary: 'moves',
  },
);
