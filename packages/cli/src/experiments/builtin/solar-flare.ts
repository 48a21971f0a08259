import { MultigradError } from '@multigrad/core/strategy';
import { dataSets, numbersFrom, readSolarFlares } from '@multigrad/datasets';
import { defineExperiment, type Experiment, opened } from '@multigrad/experiment';
import { multilayerPerceptron, multiTaskNetwork } from '@multigrad/models';
import { foldParts } from './folds.ts';
import { validationSize, widthSetting } from './sizes.ts';

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
    folds: {
      kind: 'number',
      integer: true,
      minimum: 2,
      maximum: 50,
      default: 5,
      description: 'Folds of the cross-validation, 2 to 50; seed k tests on fold k modulo this.',
    },
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
  check: (settings) => {
    if (settings.data !== '') return;
    throw new MultigradError(
      'invalid-option',
      'Option `data` of `solar-flare` is required. The data do not come with the program: `pip download river==0.22.0 --no-deps` has ' +
        'solar-flare.csv in river/datasets/solar-flare.csv.zip; name the file in `--data`.',
    );
  },
  open: async ({ data: file, width, folds, 'validation-size': validation }, seed) => {
    const table = await readSolarFlares({ file });
    // Each fold has its share of regions with flares.
    const flares = table.words('c-class-flares').map((count) => (Number(count) > 0 ? 1 : 0));
    const parts = foldParts(flares, { fold: seed % folds, folds, validation });
    if (parts.filter((part) => part === 'train').length < 30) {
      throw new MultigradError(
        'invalid-option',
        `Options \`folds\` and \`validation-size\` of \`solar-flare\` should leave 30 regions to train on. Found ${folds} and ` +
          `${validation} for ${table.count} regions.`,
      );
    }
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
    const network = multiTaskNetwork({
      trunk: multilayerPerceptron({
        ...{ name: 'trunk', shape: shapes.region, hidden: [width], features: width, seed },
      }),
      tasks,
      seed,
    });
    return opened({
      network,
      data: { train, validation: kept, test },
      objectives: ({ region, ...targets }, mode) => network.objectives(region, targets, mode),
    });
  },
});
