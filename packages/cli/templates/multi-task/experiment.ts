// An experiment of multigrad: three tasks learnt from one CSV file, houses.csv. Its data are made up.
//
//   npx multigrad compare {{path}}       five strategies, three seeds each, and a report
//   npx multigrad compare {{path}} --help          all settings
//   npx multigrad train {{path}} --strategy mmpareto --out runs/first
//
// For your own data change what is marked 1 to 4. {{docs}}/your-data.md has more.
import { dataSets, readCsv } from '@multigrad/datasets';
import { accuracy, defineExperiment, opened } from '@multigrad/experiment';
import { multilayerPerceptron, multiTaskNetwork } from '@multigrad/models';

export const experiment = defineExperiment({
  name: '{{name}}',
  title: 'Houses: price, kind and whether they are sold',
  summary: 'Made-up houses. One network learns three tasks from the same columns of a table.',

  // 1. The tasks. Each is an objective, with a loss of its own.
  objectives: ['price', 'kind', 'sold'],

  // 2. What tables show of each task, beside its loss.
  metrics: {
    accuracy: { ...accuracy, objectives: ['kind', 'sold'] },
    error: { title: 'mean absolute error', direction: 'lower', objectives: ['price'] },
  },

  // Settings become options of every command: --hidden 64.
  settings: {
    hidden: {
      kind: 'number',
      integer: true,
      minimum: 1,
      default: 32,
      description: 'Units of the hidden layer.',
    },
  },
  presets: {
    quick: {
      summary: 'a first look, in about a minute',
      seeds: 3,
      settings: { epochs: 20, 'batch-size': 32, lr: 0.01 },
    },
  },

  // Called once for each run. The same seed makes the same network.
  async open({ hidden }, seed) {
    // 3. The data. An empty cell of a target is a missing label: its task then learns from the other rows.
    const table = await readCsv(new URL('houses.csv', import.meta.url));
    const { train, validation, test, shapes, tasks } = dataSets({
      inputs: { house: table.numbers('area', 'rooms', 'year', 'distance') },
      targets: {
        price: table.numbers('price'),
        kind: table.classes('kind'),
        sold: table.classes('sold'),
      },
      // Mean 0 and deviation 1, measured on the training part alone. The error of `price` is in these units.
      standardize: ['house', 'price'],
      // Some houses have no year: the mean takes its place.
      fillMissing: ['house'],
      validation: 0.15,
      test: 0.15,
      seed: 0, // of the split: all runs are tested on the same houses
    });

    // 4. The network: a trunk that all tasks share, and a head for each task.
    const network = multiTaskNetwork({
      trunk: multilayerPerceptron({
        name: 'trunk',
        shape: shapes.house,
        hidden: [hidden],
        features: 16,
        seed,
      }),
      tasks,
      seed,
    });

    return opened({
      network,
      data: { train, validation, test },
      objectives: (batch, context) => network.objectives(batch.house, batch, context),
    });
  },
});
