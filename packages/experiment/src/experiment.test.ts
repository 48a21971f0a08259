import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { accuracy, checkSizes, defineExperiment, opened, type Samples } from './index.ts';

interface Batch {
  readonly [name: string]: Tensor;
  readonly x: Tensor2D;
  readonly y: Tensor1D;
}
declare const points: Samples<{ x: Tensor2D; y: Tensor1D }>;
const nothing = {} as never;

describe('the types', () => {
  it('give `open` its settings, and `objectives` the batches of the data', () => {
    const define = (): unknown =>
      defineExperiment({
        name: 'typed',
        objectives: ['left', 'right'],
        baseline: 'left',
        settings: {
          units: { kind: 'number', default: 8, description: 'Units.' },
          activation: {
            kind: 'choice',
            choices: ['relu', 'tanh'],
            default: 'relu',
            description: 'Activation.',
          },
          bias: { kind: 'boolean', default: true, description: 'Whether there are biases.' },
          data: { kind: 'path', description: 'A file.' },
        },
        presets: { small: { summary: 'small', settings: { units: 2, epochs: 1 } } },
        open: async (settings, seed) => {
          await Promise.resolve();
          expectTypeOf(settings.units).toEqualTypeOf<number>();
          expectTypeOf(settings.activation).toEqualTypeOf<'relu' | 'tanh'>();
          expectTypeOf(settings.bias).toEqualTypeOf<boolean>();
          expectTypeOf(settings.data).toEqualTypeOf<string>();
          expectTypeOf(settings['batch-size']).toEqualTypeOf<number>();
          expectTypeOf(seed).toEqualTypeOf<number>();
          return opened({
            network: {},
            data: { train: points, test: points },
            modalities: ['x'],
            objectives: (batch, { training }) => {
              expectTypeOf(batch.x).toEqualTypeOf<Tensor2D>();
              expectTypeOf(batch.y).toEqualTypeOf<Tensor1D>();
              expectTypeOf(training).toEqualTypeOf<boolean>();
              return { left: batch.x, right: { loss: batch.x, metrics: { accuracy: batch.y } } };
            },
          });
        },
      });
    expectTypeOf(define).toBeFunction();
  });

  it('refuse misspelt objectives, baselines, settings and modalities', () => {
    const define = (): unknown => [
      defineExperiment({
        name: 'misspelt',
        objectives: ['left', 'right'],
        // @ts-expect-error no such objective
        baseline: 'middle',
        open: () =>
          opened({
            network: {},
            data: { train: points, test: points },
            // @ts-expect-error no such entry of a batch
            modalities: ['z'],
            objectives: ({ x }) => ({ left: x }),
          }),
      }),
      defineExperiment({
        name: 'misspelt',
        objectives: ['left', 'right'],
        settings: { units: { kind: 'number', default: 8, description: 'Units.' } },
        // @ts-expect-error no such setting
        presets: { small: { summary: 'small', settings: { unit: 2 } } },
        open: () =>
          // @ts-expect-error no such objective
          opened({
            network: {},
            data: { train: points, test: points },
            objectives: ({ x }) => ({ middle: x }),
          }),
      }),
    ];
    expectTypeOf(define).toBeFunction();
  });

  it('take batches whose type is an interface', () => {
    const define = (train: Samples<{ x: Tensor2D; y: Tensor1D }>): unknown =>
      opened({
        network: {},
        data: { train, test: train },
        objectives: (batch) => ({ all: (batch satisfies Batch).x }),
      });
    expectTypeOf(define).toBeFunction();
  });
});

const open = (): never => nothing;

describe('defineExperiment', () => {
  it('fills in every default', () => {
    const experiment = defineExperiment({ name: 'two-tasks', objectives: ['a', 'b'], open });
    expect(experiment).toMatchObject({
      ...{ name: 'two-tasks', title: 'two-tasks', summary: '', sources: [], settings: {} },
      ...{ objectives: ['a', 'b'], baseline: null, metrics: {} },
      presets: { default: { summary: 'the defaults', seeds: 1, settings: {} } },
      strategies: ['sum', 'mmpareto', 'pcgrad', 'mgda', 'upgrad'],
    });
  });

  it('starts a comparison with the baseline, where there is one', () => {
    const { strategies } = defineExperiment({
      ...{ name: 'joint-one', objectives: ['a', 'b'], baseline: 'a', open },
    });
    expect(strategies).toEqual(['joint', 'sum', 'mmpareto', 'pcgrad', 'mgda']);
  });

  it('gives metrics title, unit and objectives', () => {
    const { metrics } = defineExperiment({
      name: 'measured',
      objectives: ['a', 'b'],
      metrics: { accuracy, error: { direction: 'lower', unit: 'm', objectives: ['b'] } },
      open,
    });
    expect(metrics).toEqual({
      accuracy: { title: 'accuracy', direction: 'higher', unit: '%', objectives: ['a', 'b'] },
      error: { title: 'error', direction: 'lower', unit: 'm', objectives: ['b'] },
    });
  });

  it('returns a defined experiment as it is', () => {
    const once = defineExperiment({
      name: 'again',
      objectives: ['a'],
      metrics: { accuracy },
      open,
    });
    const data = (experiment: object): unknown => JSON.parse(JSON.stringify(experiment));
    expect(data(defineExperiment(once))).toEqual(data(once));
  });

  it('hands an error of `open` on as a rejected promise', async () => {
    const failing = defineExperiment({
      name: 'failing',
      objectives: ['a'],
      open: () => {
        throw new Error('no such file');
      },
    });
    await expect(failing.open({}, 0)).rejects.toThrow('no such file');
  });

  const valid = { name: 'valid', objectives: ['a', 'b'], open };
  it.each<[string, unknown, string]>([
    [
      'nothing',
      undefined,
      'An experiment should be an object made by `defineExperiment`. Found undefined.',
    ],
    ['an array', [valid], 'An experiment should be an object'],
    [
      'no name',
      { ...valid, name: undefined },
      '`name` should be a name in kebab case, such as `my-experiment`. Found undefined.',
    ],
    [
      'a name with blanks',
      { ...valid, name: 'my experiment' },
      'Experiment `my experiment`: `name` should be',
    ],
    [
      'an empty title',
      { ...valid, title: '' },
      '`title` should be a text that is not empty. Found "".',
    ],
    ['a summary that is no text', { ...valid, summary: 3 }, '`summary` should be a text. Found 3.'],
    [
      'sources that are one text',
      { ...valid, sources: 'paper' },
      '`sources` should be an array of texts. Found "paper".',
    ],
    ['no objectives', { ...valid, objectives: [] }, '`objectives` should be an array of names'],
    [
      'an objective that is a number',
      { ...valid, objectives: [1] },
      '`objectives` should be an array of names',
    ],
    [
      'objectives that differ by case',
      { ...valid, objectives: ['a', 'A'] },
      '`objectives` should be names that differ not by case alone',
    ],
    [
      'an unknown baseline',
      { ...valid, baseline: 'c' },
      '`baseline` should be one of the objectives, `a`, `b`, or null. Found "c".',
    ],
    [
      'no open',
      { ...valid, open: undefined },
      '`open` should be a function that makes network and data. Found undefined.',
    ],
    [
      'a check that is no function',
      { ...valid, check: 1 },
      '`check` should be a function. Found 1.',
    ],
    [
      'no strategies',
      { ...valid, strategies: [] },
      '`strategies` should be an array of specifiers of strategies. Found',
    ],
    [
      'a misspelt field',
      { ...valid, objectivs: [] },
      'there is no field `objectivs`. Did you mean `objectives`?',
    ],
    ['metrics in an array', { ...valid, metrics: [] }, '`metrics` should be an object. Found'],
    [
      'a metric named loss',
      { ...valid, metrics: { loss: accuracy } },
      '`metrics` should be named by words other than `loss`',
    ],
    [
      'a metric without direction',
      { ...valid, metrics: { f1: {} } },
      '`metrics.f1.direction` should be "higher" or "lower", whichever is better. Found undefined.',
    ],
    [
      'a metric with a misspelt field',
      { ...valid, metrics: { f1: { direction: 'higher', units: '%' } } },
      '`metrics.f1` has no field `units`. Did you mean `unit`?',
    ],
    [
      'a metric of an unknown objective',
      { ...valid, metrics: { f1: { direction: 'higher', objectives: ['c'] } } },
      '`metrics.f1.objectives` should be an array of some of `a`, `b`. Found',
    ],
    [
      'a setting in camel case',
      { ...valid, settings: { hiddenUnits: {} } },
      '`settings` should be named in kebab case, as their flags are. Found "hiddenUnits".',
    ],
    [
      'a setting of an unknown kind',
      { ...valid, settings: { units: { kind: 'int', description: 'Units.' } } },
      '`settings.units.kind` should be one of number, choice, boolean, path. Found "int".',
    ],
    [
      'a setting without description',
      { ...valid, settings: { units: { kind: 'number', default: 1 } } },
      '`settings.units.description` should be a sentence',
    ],
    [
      'a setting with a key that is none',
      {
        ...valid,
        settings: { units: { kind: 'number', default: 1, description: 'Units.', min: 1 } },
      },
      '`settings.units` has a key `min`, which a number option does not have. Did you mean `minimum`?',
    ],
    [
      'a setting whose default it does not allow',
      {
        ...valid,
        settings: { units: { kind: 'number', default: 0, description: 'Units.', minimum: 1 } },
      },
      '`settings.units.default` is not a value that the option allows.',
    ],
    [
      'a path with a default',
      { ...valid, settings: { data: { kind: 'path', description: 'A file.', default: 'x' } } },
      'settings.data',
    ],
    [
      'a preset without summary',
      { ...valid, presets: { quick: {} } },
      '`presets.quick.summary` should be a text that is not empty. Found undefined.',
    ],
    [
      'a preset with half a seed',
      { ...valid, presets: { quick: { summary: 's', seeds: 0.5 } } },
      '`presets.quick.seeds` should be an integer >= 1. Found 0.5.',
    ],
  ])('refuses %s', (_, definition, message) => {
    expect(() => defineExperiment(definition as never)).toThrow(
      expect.objectContaining({
        code: 'invalid-experiment',
        message: expect.stringContaining(message) as string,
      }) as Error,
    );
  });
});

describe('checkSizes', () => {
  const sizes = { 'train-size': 100, 'validation-size': 20, 'batch-size': 10 };
  it('lets sizes pass that fit', () => {
    expect(() => checkSizes(sizes, 120)).not.toThrow();
  });

  it.each([
    [
      { ...sizes, 'batch-size': 101 },
      120,
      '`batch-size` should be at most `train-size`. Found 101',
    ],
    [sizes, 119, 'should add up to at most 119. Found 120.'],
  ])('refuses %j of %i', (given, available, message) => {
    expect(() => checkSizes(given, available)).toThrow(message);
  });
});
