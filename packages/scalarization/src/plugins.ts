import {
  definePlugin,
  type StrategyPlugin,
  type StrategyProperties,
} from '@multigrad/core/strategy';
import { cosmos, type CosmosOptions, cosmosOptions } from './cosmos.ts';
import { dwa, type DwaOptions, dwaOptions } from './dwa.ts';
import { famo, type FamoOptions, famoOptions } from './famo.ts';
import { gls } from './gls.ts';
import { go4align, type Go4alignOptions, go4alignOptions } from './go4align.ts';
import { imtlL } from './imtl-l.ts';
import { type LearnedWeightsOptions, learnedWeightsOptions } from './learned-weights.ts';
import { pbi, type PbiOptions, pbiOptions } from './pbi.ts';
import {
  randomLossWeighting,
  type RandomLossWeightingOptions,
  randomLossWeightingOptions,
} from './random-loss-weighting.ts';
import {
  smoothTchebycheff,
  type SmoothTchebycheffOptions,
  smoothTchebycheffOptions,
} from './smooth-tchebycheff.ts';
import { uncertaintyWeighting } from './uncertainty-weighting.ts';

/** Properties of strategies whose weights depend on the losses alone. */
const lossesAlone: StrategyProperties = {
  nonConflicting: { not: 'sees losses alone' },
  permutation: true,
  homogeneity: 1,
  linearUnderRowScaling: true,
  single: 1,
  stationary: 'moves',
};

/** The descriptions of all strategies of this package, for listings, command lines and configurations. */
export const plugins: readonly StrategyPlugin[] = /* @__PURE__ */ Object.freeze([
  definePlugin<LearnedWeightsOptions>({
    specification: 1,
    name: 'uncertainty-weighting',
    title: 'Uncertainty weighting',
    summary: 'Weighs each loss by a trained estimate of its noise.',
    paper: {
      title:
        'Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and Semantics',
      authors: ['Alex Kendall', 'Yarin Gal', 'Roberto Cipolla'],
      venue: 'CVPR',
      year: 2018,
      url: 'https://arxiv.org/abs/1705.07115',
    },
    formula: 'u = Σ_k w_k g_k, w_k = e^(−s_k) / 2; s_k descends along ½ − L_k e^(−s_k) / 2',
    use: 'For losses of different noise, at the cost of the sum.',
    properties: { ...lossesAlone, single: () => Math.exp(0.5) / 2 },
    options: learnedWeightsOptions,
    create: uncertaintyWeighting,
  }),
  definePlugin<DwaOptions>({
    specification: 1,
    name: 'dwa',
    title: 'DWA',
    summary: 'Gives losses that fall slowly from epoch to epoch more weight.',
    paper: {
      title: 'End-to-End Multi-Task Learning with Attention',
      authors: ['Shikun Liu', 'Edward Johns', 'Andrew J. Davison'],
      venue: 'CVPR',
      year: 2019,
      url: 'https://arxiv.org/abs/1803.10704',
    },
    formula:
      'u = Σ_k w_k g_k, w = K softmax(r / T), r_k the mean loss of the last epoch over that of the one before',
    use: 'For tasks that converge at different speeds, at the cost of the sum.',
    properties: lossesAlone,
    options: dwaOptions,
    create: dwa,
  }),
  definePlugin<FamoOptions>({
    specification: 1,
    name: 'famo',
    title: 'FAMO',
    summary: 'Makes all losses fall at the same relative rate, without looking at gradients.',
    paper: {
      title: 'FAMO: Fast Adaptive Multitask Optimization',
      authors: ['Bo Liu', 'Yihao Feng', 'Peter Stone', 'Qiang Liu'],
      venue: 'NeurIPS',
      year: 2023,
      url: 'https://arxiv.org/abs/2306.03792',
    },
    formula:
      'u = Σ_k w_k g_k, w_k = (z_k / D_k) / Σ_j z_j / D_j, D = L + 10⁻⁸, z = softmax(ξ); after the step ξ follows (diag z − z zᵀ) (log L_before − log L_after)',
    use: 'For many tasks, when a backward pass for each is too dear.',
    properties: lossesAlone,
    options: famoOptions,
    create: famo,
  }),
  definePlugin({
    specification: 1,
    name: 'gls',
    title: 'GLS',
    summary: 'Minimises the geometric mean of the losses.',
    paper: {
      title:
        'MultiNet++: Multi-Stream Feature Aggregation and Geometric Loss Strategy for Multi-Task Learning',
      authors: ['Sumanth Chennupati', 'Ganesh Sistu', 'Senthil Yogamani', 'Samir A Rawashdeh'],
      venue: 'CVPR Workshops',
      year: 2019,
      url: 'https://arxiv.org/abs/1904.08492',
    },
    formula:
      'u = Σ_k w_k g_k, w_k = (Π_j L_j)^(1/K) / (K L_k): the gradient of the losses’ geometric mean',
    use: 'For losses of different scale that should fall in proportion; all have to stay above zero.',
    properties: lossesAlone,
    options: {},
    create: gls,
  }),
  definePlugin<SmoothTchebycheffOptions>({
    specification: 1,
    name: 'smooth-tchebycheff',
    title: 'Smooth Tchebycheff',
    summary: 'Minimises a smooth maximum of the preferred losses.',
    paper: {
      title: 'Smooth Tchebycheff Scalarization for Multi-Objective Optimization',
      authors: [
        'Xi Lin',
        'Xiaoyuan Zhang',
        'Zhiyuan Yang',
        'Fei Liu',
        'Zhenkun Wang',
        'Qingfu Zhang',
      ],
      venue: 'ICML',
      year: 2024,
      url: 'https://arxiv.org/abs/2402.19078',
    },
    formula:
      'u = Σ_k w_k g_k, w_k = p_k softmax(p (L − z) / μ)_k: the gradient of μ log Σ_k e^(p_k (L_k − z_k) / μ)',
    use: 'For a chosen trade-off on a Pareto front that need not be convex.',
    properties: lossesAlone,
    options: smoothTchebycheffOptions,
    create: smoothTchebycheff,
  }),
  definePlugin<LearnedWeightsOptions>({
    specification: 1,
    name: 'imtl-l',
    title: 'IMTL-L',
    summary: 'Trains weights that bring all weighted losses to one size.',
    paper: {
      title: 'Towards Impartial Multi-task Learning',
      authors: [
        'Liyang Liu',
        'Yi Li',
        'Zhanghui Kuang',
        'Jing-Hao Xue',
        'Yimin Chen',
        'Wenming Yang',
        'Qingmin Liao',
        'Wayne Zhang',
      ],
      venue: 'ICLR',
      year: 2021,
      url: 'https://openreview.net/forum?id=IMPnRXEWpvr',
    },
    formula: 'u = Σ_k w_k g_k, w_k = e^(s_k); s_k descends along e^(s_k) L_k − 1',
    use: 'For losses of different scale that should count alike.',
    properties: { ...lossesAlone, single: () => 1 },
    options: learnedWeightsOptions,
    create: imtlL,
  }),
  definePlugin<RandomLossWeightingOptions>({
    specification: 1,
    name: 'random-loss-weighting',
    title: 'RLW',
    summary: 'Draws the weights of the losses anew at every step.',
    paper: {
      title: 'Reasonable Effectiveness of Random Weighting: A Litmus Test for Multi-Task Learning',
      authors: ['Baijiong Lin', 'Feiyang Ye', 'Yu Zhang', 'Ivor W. Tsang'],
      venue: 'TMLR',
      year: 2022,
      url: 'https://arxiv.org/abs/2111.10603',
    },
    formula:
      'u = Σ_k w_k g_k, w = K softmax(z) with independent z_k ~ N(0, 1), drawn anew at each step',
    use: 'As a baseline that a method has to beat, at the cost of the sum.',
    properties: {
      ...lossesAlone,
      permutation: { not: 'draws weights in the order of objectives' },
    },
    options: randomLossWeightingOptions,
    create: randomLossWeighting,
  }),
  definePlugin<PbiOptions>({
    specification: 1,
    name: 'pbi',
    title: 'PBI',
    summary: 'Moves the losses along a preferred ray and draws them towards it.',
    paper: {
      title: 'MOEA/D: A Multiobjective Evolutionary Algorithm Based on Decomposition',
      authors: ['Qingfu Zhang', 'Hui Li'],
      venue: 'IEEE Transactions on Evolutionary Computation',
      year: 2007,
      url: 'https://doi.org/10.1109/TEVC.2007.892759',
    },
    formula:
      'u = Σ_k w_k g_k, w = q + θ (L − z − d q) / |L − z − d q| with q = p / |p|, d = (L − z)ᵀ q',
    use: 'For a chosen ray of trade-offs between the losses.',
    properties: lossesAlone,
    options: pbiOptions,
    create: pbi,
  }),
  definePlugin<CosmosOptions>({
    specification: 1,
    name: 'cosmos',
    title: 'COSMOS',
    summary:
      'Minimises the preferred sum of the losses, less the cosine between losses and preference.',
    paper: {
      title: 'Scalable Pareto Front Approximation for Deep Multi-Objective Learning',
      authors: ['Michael Ruchte', 'Josif Grabocka'],
      venue: 'ICDM',
      year: 2021,
      url: 'https://arxiv.org/abs/2103.13392',
    },
    formula:
      'u = Σ_k w_k g_k, w = p − μ (p / |p| − cos(p, L) L / |L|) / |L|: the gradient of pᵀ L − μ cos(p, L)',
    use: 'For a preference among losses whose proportions should follow it.',
    properties: lossesAlone,
    options: cosmosOptions,
    create: cosmos,
  }),
  definePlugin<Go4alignOptions>({
    specification: 1,
    name: 'go4align',
    title: 'GO4Align',
    summary: 'Brings losses to one scale and gives objectives of similar progress one weight.',
    paper: {
      title: 'GO4Align: Group Optimization for Multi-Task Alignment',
      authors: ['Jiayi Shen', 'Cheems Wang', 'Zehao Xiao', 'Nanne Van Noord', 'Marcel Worring'],
      venue: 'NeurIPS',
      year: 2024,
      url: 'https://arxiv.org/abs/2404.06486',
    },
    formula:
      'u = Σ_k w_k g_k, w_k the mean over the group of k of λ_j Σ_i L_i / L_j, groups by K-means; λ falls as e^(−η L) and has the sum 1',
    use: 'For many tasks whose losses differ in scale, at the cost of the sum.',
    properties: lossesAlone,
    options: go4alignOptions,
    create: go4align,
  }),
] as StrategyPlugin[]);
