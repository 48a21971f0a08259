import { cgMnist } from './cg-mnist.mjs';
import { leNet } from './le-net.mjs';
import { perceptron } from './perceptron.mjs';
import { resNets } from './res-net18.mjs';

/** By name; peers/networks.py has the same networks in PyTorch. */
export const workloads = {
  mlp: perceptron,
  lenet: leNet,
  'cg-mnist': cgMnist,
  resnet18: resNets,
};
