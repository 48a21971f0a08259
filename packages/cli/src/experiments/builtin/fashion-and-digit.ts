import { fashionAndDigit as overlaid, readFashionMnist, readMnist } from '@multigrad/datasets';
import type { Experiment } from '@multigrad/experiment';
import { overlaidDigitsExperiment } from './overlaid-digits-base.ts';

/** A piece of clothing and a digit in one image: two tasks unlike each other. */
export const fashionAndDigit: Experiment = overlaidDigitsExperiment({
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
  data: {
    kind: 'path',
    description:
      'Folder of the four Fashion-MNIST files; without it, that of Debian’s package dataset-fashion-mnist.',
  },
  sets: async (sizes, folder) => {
    const fashion = await readFashionMnist(folder === '' ? {} : { folder });
    return overlaid({ fashion, mnist: await readMnist(), ...sizes });
  },
});
