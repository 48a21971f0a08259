import { cgMnist } from './cg-mnist.mjs';
import { lenet } from './lenet.mjs';
import { perceptron } from './perceptron.mjs';
import { resNets } from './resnet18.mjs';
import { recurrent, stockRecurrent, transformer } from './sequences.mjs';

/** By name; peers/networks.py has the same networks in PyTorch. */
export const workloads = {
  mlp: perceptron,
  lenet: lenet,
  'cg-mnist': cgMnist,
  resnet18: resNets,
  lstm: recurrent,
  'lstm-layers': stockRecurrent,
  transformer,
};
