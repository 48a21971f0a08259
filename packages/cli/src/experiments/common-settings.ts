import type { SettingSpecs } from '@multigrad/experiment';

/** What every experiment lets a user set, by flag name. */
export const commonSettings: SettingSpecs = {
  epochs: {
    kind: 'number',
    integer: true,
    minimum: 1,
    default: 4,
    description: 'Passes over the training set, at least 1.',
  },
  'validation-size': {
    kind: 'number',
    integer: true,
    minimum: 0,
    default: 0,
    description: 'Number of training samples that are kept back to select models by; 0: none.',
  },
  select: {
    kind: 'choice',
    choices: ['last', 'best'],
    default: 'last',
    description:
      'The epoch whose scores the tables show: the last, or the one with the best validation score.',
  },
  'batch-size': {
    kind: 'number',
    integer: true,
    minimum: 1,
    default: 64,
    description: 'Samples in a training step, at least 1.',
  },
  lr: {
    kind: 'number',
    exclusiveMinimum: 0,
    default: 0.01,
    description:
      'Learning rate of the optimizer, above 0. Several, as in 0.003,0.01: each is tried, and the tables show for each ' +
      'strategy the one with the best validation score.',
  },
  optimizer: {
    kind: 'choice',
    choices: ['sgd', 'adam'],
    default: 'sgd',
    description: 'What makes steps of the combined gradient: SGD with momentum, or Adam.',
  },
  schedule: {
    kind: 'choice',
    choices: ['constant', 'cosine'],
    default: 'constant',
    description:
      'The learning rate over training: the same at every step, or falling to 0 along half a cosine.',
  },
  momentum: {
    kind: 'number',
    minimum: 0,
    maximum: 1,
    default: 0.9,
    description:
      'Share of the last change of the weights that SGD repeats, from 0 to 1; 0: no momentum. Adam has none.',
  },
  'weight-decay': {
    kind: 'number',
    minimum: 0,
    default: 1e-4,
    description: 'L2 penalty on every weight, 0 or more: the larger, the smaller the weights stay.',
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
      'Measure the gradients at every n-th step, for every strategy, and record that step; 0: never.',
  },
  contribution: {
    kind: 'choice',
    choices: ['off', 'zero', 'mean', 'token'],
    default: 'off',
    description:
      'Measure what each modality contributes to the joint prediction on the test set: Shapley values, with zeros in the ' +
      'place of the others, with their means over the training set, or with the tokens that a network learns with ' +
      'modality-dropout.',
  },
  'contribution-every': {
    kind: 'number',
    integer: true,
    minimum: 0,
    default: 0,
    description:
      'Measure contributions after every n-th epoch too; 0: after those whose scores the tables show.',
  },
  checkpoint: {
    kind: 'number',
    integer: true,
    minimum: 0,
    default: 0,
    description:
      'Make a checkpoint every n steps, from which an interrupted run continues; 0: only at the end of each epoch.',
  },
  backend: {
    kind: 'choice',
    choices: ['auto', 'tensorflow', 'wasm', 'cpu'],
    default: 'auto',
    description: 'TensorFlow.js backend; auto takes the fastest present.',
  },
};
