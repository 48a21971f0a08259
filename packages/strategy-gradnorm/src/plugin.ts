import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { gradNorm, type GradNormOptions, gradNormOptions } from './gradnorm.ts';

/** The description of {@link gradNorm} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<GradNormOptions> =
  /* @__PURE__ */ definePlugin<GradNormOptions>({
    specification: 1,
    name: 'gradnorm',
    title: 'GradNorm',
    summary:
      'Trains weights that bring the lengths of the gradients in line with how fast their objectives train.',
    paper: {
      title:
        'GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep Multitask Networks',
      authors: ['Zhao Chen', 'Vijay Badrinarayanan', 'Chen-Yu Lee', 'Andrew Rabinovich'],
      venue: 'ICML',
      year: 2018,
      url: 'https://arxiv.org/abs/1711.02257',
    },
    options: gradNormOptions,
    create: gradNorm,
  });
