import { definePlugin, type StrategyPlugin } from '@multigrad/core/strategy';
import { trimmedMean, type TrimmedMeanOptions, trimmedMeanOptions } from './trimmed-mean.ts';

/** The description of {@link trimmedMean} for listings, command lines and configurations. */
export const plugin: StrategyPlugin<TrimmedMeanOptions> =
  /* @__PURE__ */ definePlugin<TrimmedMeanOptions>({
    specification: 1,
    name: 'trimmed-mean',
    title: 'Trimmed mean',
    summary: 'Drops the largest and smallest entries of each coordinate and averages the others.',
    paper: {
      title: 'Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates',
      authors: ['Dong Yin', 'Yudong Chen', 'Kannan Ramchandran', 'Peter Bartlett'],
      venue: 'ICML',
      year: 2018,
      url: 'https://arxiv.org/abs/1803.01498',
    },
    formula:
      'At each coordinate u = mean of the entries that are left without the b largest and the b smallest',
    use: 'For many objectives of which a few may be wildly wrong in some coordinates.',
    properties: {
      nonConflicting: { not: 'trims each coordinate by itself' },
      permutation: true,
      homogeneity: 1,
      linearUnderRowScaling: { not: 'which values are trimmed depends on their size' },
      single: { not: 'needs three' },
      stationary: 'moves',
    },
    options: trimmedMeanOptions,
    create: trimmedMean,
  });
