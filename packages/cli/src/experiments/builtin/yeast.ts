import { dataSets, readYeast } from '@multigrad/datasets';
import { accuracy, defineExperiment, type Experiment, opened } from '@multigrad/experiment';
import { foldsSetting, splitBySeed } from './folds.ts';
import { requireCopy } from './required-copy.ts';
import { sharedTrunk } from './shared-trunk.ts';
import { validationSize, widthSetting } from './shared-settings.ts';

const labels = Array.from({ length: 14 }, (_, k) => `class-${k + 1}`);

/** Yeast genes with 14 labels, a task each; cross-validated; needs the user's copy. */
export const yeast: Experiment = defineExperiment({
  name: 'yeast',
  title: 'Yeast genes',
  summary:
    'A gene of yeast is described by 103 numbers and belongs to some of 14 functional classes. A network that fourteen tasks share ' +
    'tells for each class whether the gene belongs to it: many tasks, from evenly split to very rare. Each seed tests on another fold of ' +
    'a cross-validation.',
  sources: [
    'Elisseeff and Weston, A kernel method for multi-labelled classification, NeurIPS 2001',
  ],
  objectives: labels,
  metrics: { accuracy },
  strategies: ['sum', 'scaled-sum', 'mmpareto', 'pcgrad', 'mgda', 'upgrad'],
  settings: {
    'validation-size': { ...validationSize, default: 300 },
    width: widthSetting(64, 'Units of the hidden layer and of the shared features.'),
    folds: foldsSetting(50),
    data: { kind: 'path', description: 'Your copy of yeast.arff; required.' },
  },
  presets: {
    quick: {
      summary: 'all 2,417 genes, in a minute',
      seeds: 5,
      settings: { epochs: 20, 'batch-size': 64, schedule: 'cosine' },
    },
    full: {
      summary: 'the same for longer',
      seeds: 5,
      settings: { epochs: 60, 'batch-size': 64, schedule: 'cosine' },
    },
  },
  check: requireCopy(
    'yeast',
    'The data do not come with the program: get yeast.arff from Mulan ' +
      '(https://mulan.sourceforge.net/datasets-mlc.html) or OpenML (data set 40597), and name the file in `--data`.',
  ),
  open: async ({ data: file, width, folds, 'validation-size': validation }, seed) => {
    const table = await readYeast({ file });
    const columns = table.columns.slice(-labels.length);
    // Each fold has its share of the first class.
    const first = table.classes(columns[0]!, ['0', '1']);
    const parts = splitBySeed(first.labels, {
      ...{ seed, folds, validation },
      ...{ experiment: 'yeast', samples: 'genes', least: 30 },
    });
    const {
      train,
      validation: kept,
      test,
      shapes,
      tasks,
    } = dataSets({
      inputs: { gene: table.numbers(...table.columns.slice(0, -labels.length)) },
      targets: Object.fromEntries(
        labels.map((label, k) => [label, table.classes(columns[k]!, ['0', '1'])]),
      ),
      ...{ parts, standardize: ['gene'], stratify: null },
      ...(validation === 0 ? { validation: 0 } : {}),
    });
    const network = sharedTrunk({ shape: shapes.gene, width, tasks, seed });
    return opened({
      network,
      data: { train, validation: kept, test },
      objectives: ({ gene, ...targets }, mode) => network.objectives(gene, targets, mode),
    });
  },
});
