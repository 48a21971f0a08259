import { multiMnist as overlaid, readMnist } from '@multigrad/datasets';
import type { Experiment } from '@multigrad/experiment';
import { overlaidDigitsExperiment, type OverlaidDigitsVariant } from './overlaid-digits-base.ts';

const sets: OverlaidDigitsVariant['sets'] = async (sizes) =>
  overlaid({ mnist: await readMnist(), ...sizes });

const summary =
  'An image shows two handwritten digits, one shifted to the left and top, the other to the right and bottom. A LeNet ' +
  'that both tasks share looks at it; one head names the left digit, the other the right.';

const sources = [
  'Sabour, Frosst and Hinton, Dynamic Routing Between Capsules, NeurIPS 2017, arXiv 1710.09829',
  'Sener and Koltun, Multi-Task Learning as Multi-Objective Optimization, NeurIPS 2018, arXiv 1810.04650 (as two tasks)',
  'MNIST digits: LeCun, Bottou, Bengio and Haffner, Proc. IEEE 1998; CC BY-SA 3.0',
];

/** MultiMNIST: two digits in one image, two tasks of equal difficulty. */
export const multiMnist: Experiment = overlaidDigitsExperiment({
  name: 'multi-mnist',
  title: 'MultiMNIST',
  summary,
  sources,
  sets,
});

/** MultiMNIST with noise over the right digit: two tasks of unequal difficulty. */
export const multiMnistNoisy: Experiment = overlaidDigitsExperiment({
  name: 'multi-mnist-noisy',
  title: 'MultiMNIST with noise',
  summary: `${summary} Half of the pixels at the right are turned black or white, which makes the right task the harder one.`,
  sources: [
    ...sources,
    'Wei and Hu, MMPareto: Boosting Multimodal Learning with Innocent Unimodal Assistance, ICML 2024, arXiv 2405.17730 (with noise)',
  ],
  noise: 0.5,
  sets,
});
