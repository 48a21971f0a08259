import { dataSets, readPenguins } from '@multigrad/datasets';
import { accuracy, defineExperiment, type Experiment, opened } from '@multigrad/experiment';
import { foldsSetting, splitBySeed } from './folds.ts';
import { sharedTrunk } from './shared-trunk.ts';
import { validationSize, widthSetting } from './shared-settings.ts';

/** Palmer penguins: two classifications and a regression from three measures, with missing labels; cross-validated. */
export const penguins: Experiment = defineExperiment({
  name: 'penguins',
  title: 'Palmer penguins',
  summary:
    'A penguin is measured at bill and flipper. A small network that three tasks share names its species, its sex and its ' +
    'mass: two classifications and a regression, very few samples, and labels that are missing here and there. Each seed ' +
    'tests on another fold of a cross-validation.',
  sources: [
    'Gorman, Williams and Fraser, Ecological sexual dimorphism and environmental variability within a community of Antarctic penguins, PLoS ONE 9(3), 2014',
    'palmerpenguins: Horst, Hill and Gorman, 2020; CC0 1.0',
  ],
  objectives: ['species', 'sex', 'mass'],
  metrics: {
    accuracy: { ...accuracy, objectives: ['species', 'sex'] },
    error: {
      title: 'mean absolute error',
      unit: 'deviations',
      direction: 'lower',
      objectives: ['mass'],
    },
  },
  strategies: ['only-species', 'only-sex', 'only-mass', 'sum', 'mmpareto', 'pcgrad', 'upgrad'],
  settings: {
    'validation-size': { ...validationSize, default: 40 },
    width: widthSetting(16, 'Units of the hidden layer and of the shared features.'),
    folds: foldsSetting(50),
  },
  presets: {
    quick: {
      summary: 'all 344 penguins, in half a minute',
      seeds: 5,
      settings: { epochs: 60, 'batch-size': 32, schedule: 'cosine' },
    },
    full: {
      summary: 'the same for longer',
      seeds: 5,
      settings: { epochs: 200, 'batch-size': 32, schedule: 'cosine' },
    },
  },
  open: async ({ width, folds, 'validation-size': validation }, seed) => {
    const table = await readPenguins();
    const species = table.classes('species');
    const parts = splitBySeed(species.labels, {
      ...{ seed, folds, validation },
      ...{ experiment: 'penguins', samples: 'penguins', least: 30 },
    });
    const {
      train,
      validation: kept,
      test,
      shapes,
      tasks,
    } = dataSets({
      inputs: {
        measures: table.numbers('bill_length_mm', 'bill_depth_mm', 'flipper_length_mm'),
      },
      targets: { species, sex: table.classes('sex'), mass: table.numbers('body_mass_g') },
      ...{ parts, standardize: ['measures', 'mass'], fillMissing: ['measures'] },
      ...(validation === 0 ? { validation: 0 } : {}),
    });
    const network = sharedTrunk({ shape: shapes.measures, width, tasks, seed });
    return opened({
      network,
      data: { train, validation: kept, test },
      objectives: ({ measures, ...targets }, mode) => network.objectives(measures, targets, mode),
    });
  },
});
