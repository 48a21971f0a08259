import type { SettingSpecs } from '@multigrad/experiment';

/** What every experiment lets a user set, by flag name. */
export const commonSettings: SettingSpecs = {
  epochs: {
    kind: 'number',
    integer: true,
    minimum: 1,
    default: 4,
    description: 'Passes over the training set.',
  },
  'validation-size': {
    kind: 'number',
    integer: true,
    minimum: 0,
    default: 0,
    description: 'Training samples kept to select models by; 0: none.',
  },
  select: {
    kind: 'choice',
    choices: ['last', 'best'],
    default: 'last',
    description: 'Which epoch the tables show: the last, or the one that validates best.',
  },
  'batch-size': {
    kind: 'number',
    integer: true,
    minimum: 1,
    default: 64,
    description: 'Samples in a training step.',
  },
  lr: {
    kind: 'number',
    exclusiveMinimum: 0,
    default: 0.01,
    description:
      'Learning rate of SGD with momentum; several, as in 0.003,0.01: each is tried, and for each strategy the one that ' +
      'validates best is shown.',
  },
  momentum: {
    kind: 'number',
    minimum: 0,
    maximum: 1,
    default: 0.9,
    description: 'Momentum of SGD.',
  },
  'weight-decay': {
    kind: 'number',
    minimum: 0,
    default: 1e-4,
    description: 'L2 penalty on every weight.',
  },
  'group-by': {
    kind: 'choice',
    choices: ['reach', 'shared', 'layer', 'tensor'],
    default: 'reach',
    description:
      'What is integrated together: parameters reached by the same objectives, all shared ones, a layer, a tensor.',
  },
  observe: {
    kind: 'number',
    integer: true,
    minimum: 0,
    default: 10,
    description:
      'Look at the gradients of every n-th step, for every strategy, and write that step down; 0: never.',
  },
  checkpoint: {
    kind: 'number',
    integer: true,
    minimum: 0,
    default: 0,
    description:
      'Make a checkpoint every n steps, from which an interrupted run goes on; 0: at the end of each epoch alone.',
  },
  backend: {
    kind: 'choice',
    choices: ['auto', 'tensorflow', 'wasm', 'cpu'],
    default: 'auto',
    description: 'TensorFlow.js backend; auto takes the fastest present.',
  },
};
