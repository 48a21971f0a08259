import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { gradvac, type GradvacOptions, gradvacOptions } from './gradvac.ts';

/** The description of {@link gradvac} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<GradvacOptions> = /* @__PURE__ */ definePlugin<GradvacOptions>({
  specification: 1,
  name: 'gradvac',
  title: 'GradVac',
  summary: 'Turns each gradient towards the others until their cosine is at its running average.',
  paper: {
    title:
      'Gradient Vaccine: Investigating and Improving Multi-task Optimization in Massively Multilingual Models',
    authors: ['Zirui Wang', 'Yulia Tsvetkov', 'Orhan Firat', 'Yuan Cao'],
    venue: 'ICLR',
    year: 2021,
    url: 'https://arxiv.org/abs/2010.05874',
  },
  use: 'For many related tasks, such as languages, whose gradients should come to agree.',
  properties: {
    nonConflicting: { not: 'corrections follow cosines of the past' },
    permutation: { not: 'corrections come in random order' },
    homogeneity: 1,
    linearUnderRowScaling: true,
    single: 1,
    stationary: 'moves',
  },
  options: gradvacOptions,
  create: gradvac,
});
