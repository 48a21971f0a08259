import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { edm } from './edm.ts';

/** The description of {@link edm} for listings, command lines and configurations. */
export const plugin: StrategyPlugin = /* @__PURE__ */ definePlugin({
  specification: 1,
  name: 'edm',
  title: 'EDM',
  summary:
    'Descends on every objective along the shortest convex combination of the unit gradients.',
  paper: {
    title: 'Follow the bisector: a simple method for multi-objective optimization',
    authors: ['Alexandr Katrutsa', 'Daniil Merkulov', 'Nurislam Tursynbek', 'Ivan Oseledets'],
    venue: 'arXiv',
    year: 2020,
    url: 'https://arxiv.org/abs/2007.06937',
  },
  options: {},
  create: edm,
});
