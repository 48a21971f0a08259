import { dataSets, numbersFrom, readSolarFlares } from '@multigrad/datasets';
import { defineExperiment, type Experiment, opened } from '@multigrad/experiment';
import { foldsSetting, splitBySeed } from './folds.ts';
import { requireCopy } from './required-copy.ts';
import { sharedTrunk } from './shared-trunk.ts';
import { validationSize, widthSetting } from './shared-settings.ts';

const classes = ['zurich-class', 'largest-spot-size', 'spot-distribution'] as const;
const numbers = [
  ...['activity', 'evolution', 'previous-24h-flare-activity', 'hist-complex'],
  ...['hist-complex-this-pass', 'area', 'largest-spot-area'],
] as const;

/** Solar flares of three strengths, counted: three regressions of unequal rarity; cross-validated; needs the user's copy. */
export const solarFlare: Experiment = defineExperiment({
  name: 'solar-flare',
  title: 'Solar flares',
  summary:
    'An active region of the sun is described by ten features. A small network that three tasks share tells how many common, ' +
    'moderate and severe flares it will have in the next 24 hours: three regressions of counts, most of them 0, the severe ones ' +
    'very rare. Each seed tests on another fold of a cross-validation.',
  sources: [
    'Solar Flare: Bradshaw, UCI Machine Learning Repository, 1989, https://doi.org/10.24432/C5530G',
  ],
  objectives: ['common', 'moderate', 'severe'],
  metrics: {
    error: { title: 'mean absolute error', unit: 'deviations', direction: 'lower' },
  },
  settings: {
    'validation-size': { ...validationSize, default: 150 },
    width: widthSetting(32, 'Units of the hidden layer and of the shared features.'),
    folds: foldsSetting(50),
    data: { kind: 'path', description: 'Your copy of solar-flare.csv; required.' },
  },
  presets: {
    quick: {
      summary: 'all 1,066 regions, in half a minute',
      seeds: 5,
      settings: { epochs: 30, 'batch-size': 64, schedule: 'cosine' },
    },
    full: {
      summary: 'the same for longer',
      seeds: 5,
      settings: { epochs: 100, 'batch-size': 64, schedule: 'cosine' },
    },
  },
  check: requireCopy(
    'solar-flare',
    'The data do not come with the program: `pip download river==0.22.0 --no-deps` has ' +
      'solar-flare.csv in river/datasets/solar-flare.csv.zip; name the file in `--data`.',
  ),
  open: async ({ data: file, width, folds, 'validation-size': validation }, seed) => {
    const table = await readSolarFlares({ file });
    // Each fold has its share of regions with flares.
    const flares = table.words('c-class-flares').map((count) => (Number(count) > 0 ? 1 : 0));
    const parts = splitBySeed(flares, {
      ...{ seed, folds, validation },
      ...{ experiment: 'solar-flare', samples: 'regions', least: 30 },
    });
    const known = new Map(classes.map((name) => [name, [...new Set(table.words(name))].sort()]));
    const features = Array.from({ length: table.count }, (_, row) => [
      ...classes.flatMap((name) =>
        known.get(name)!.map((one) => (table.words(name)[row] === one ? 1 : 0)),
      ),
      ...numbers.map((name) => Number(table.words(name)[row])),
    ]);
    const {
      train,
      validation: kept,
      test,
      shapes,
      tasks,
    } = dataSets({
      inputs: { region: numbersFrom(features) },
      targets: {
        common: table.numbers('c-class-flares'),
        moderate: table.numbers('m-class-flares'),
        severe: table.numbers('x-class-flares'),
      },
      ...{ parts, standardize: ['region', 'common', 'moderate', 'severe'] },
      ...(validation === 0 ? { validation: 0 } : {}),
    });
    const network = sharedTrunk({ shape: shapes.region, width, tasks, seed });
    return opened({
      network,
      data: { train, validation: kept, test },
      objectives: ({ region, ...targets }, mode) => network.objectives(region, targets, mode),
    });
  },
});
