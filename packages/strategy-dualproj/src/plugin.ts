import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { dualproj, type DualprojOptions, dualprojOptions } from './dualproj.ts';

/** The description of {@link dualproj} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<DualprojOptions> =
  /* @__PURE__ */ definePlugin<DualprojOptions>({
    specification: 1,
    name: 'dualproj',
    title: 'DualProj',
    summary: 'Projects the mean of the gradients onto the cone of vectors that conflict with none.',
    paper: {
      title: 'Gradient Episodic Memory for Continual Learning',
      authors: ['David Lopez-Paz', "Marc'Aurelio Ranzato"],
      venue: 'NeurIPS',
      year: 2017,
      url: 'https://arxiv.org/abs/1706.08840',
    },
    formula: 'u = Jᵀ w, w = argmin vᵀ G v over v >= p',
    use: 'For a preferred direction that is followed as far as no objective gets worse.',
    properties: {
      nonConflicting: true,
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: { not: 'what is projected is the sum, the cone stays' },
      single: 1,
      stationary: 'zero',
    },
    options: dualprojOptions,
    create: dualproj,
  });
