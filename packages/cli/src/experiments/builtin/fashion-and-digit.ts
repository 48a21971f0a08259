import { fashionAndDigit as overlaid, readFashionMnist, readMnist } from '@multigrad/datasets';
import { defineExperiment, type Experiment } from '@multigrad/experiment';
import { overlaidDigits, overlaidDigitsBase, overlaidDigitsOptions } from './overlaid-digits.ts';

/** A piece of clothing and a digit in one image: two tasks unlike each other. */
export const fashionAndDigit: Experiment = defineExperiment({
  ...overlaidDigitsBase,
  name: 'fashion-and-digit',
  title: 'Clothing and digit',
  summary:
    'An image shows a piece of clothing, shifted to the left and top, and a handwritten digit, shifted to the right and ' +
    'bottom. A LeNet that both tasks share looks at it; one head names the clothing (left), the other the digit (right).',
  sources: [
    'Lin, Zhen, Li, Zhang and Kwong, Pareto Multi-Task Learning, NeurIPS 2019, arXiv 1912.12854',
    'Fashion-MNIST: Xiao, Rasul and Vollgraf, 2017, arXiv 1708.07747; MIT licence',
    'MNIST digits: LeCun, Bottou, Bengio and Haffner, Proc. IEEE 1998; CC BY-SA 3.0',
  ],
  settings: {
    ...overlaidDigitsBase.settings,
    data: {
      kind: 'path',
      description:
        'Folder of the four Fashion-MNIST files; without it, that of Debian’s package dataset-fashion-mnist.',
    },
  },
  open: async (settings, seed) => {
    const fashion = await readFashionMnist(settings.data === '' ? {} : { folder: settings.data });
    const mnist = await readMnist();
    const sets = overlaid({ fashion, mnist, ...overlaidDigitsOptions(settings, seed) });
    return overlaidDigits(sets, seed);
  },
});
