import { fashionAndDigit, readFashionMnist, readMnist } from '@multigrad/datasets';
import {
  overlaidDigitsBase,
  overlaidDigitsExperiment,
  overlaidDigitsOptions,
} from './overlaid-digits.ts';
import type { Recipe } from './recipe.ts';
import { folderSetting } from '../runs/settings.ts';

/** A piece of clothing and a digit in one image: two tasks unlike each other. */
export const fashionAndDigitRecipe: Recipe = {
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
  folders: {
    data: 'Folder of the four Fashion-MNIST files; without it, that of Debian’s package dataset-fashion-mnist.',
  },
  open: async (settings, seed) => {
    const folder = folderSetting(settings, 'data');
    const fashion = await readFashionMnist(folder === undefined ? {} : { folder });
    const mnist = await readMnist();
    return overlaidDigitsExperiment(
      settings,
      seed,
      fashionAndDigit({ fashion, mnist, ...overlaidDigitsOptions(settings, seed) }),
    );
  },
};
