// The first training step of a small network, from an empty process: `node first-step.mjs BACKEND`.
import '@tensorflow/tfjs-layers';
import { useBackend } from '@multigrad/backends';
import { fusedMomentum, MultiObjectiveTrainer } from '@multigrad/core';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { workloads } from './workloads/index.mjs';

await useBackend(process.argv[2]);
const { network, inputs, targets } = workloads.mlp.make(64);
const trainer = new MultiObjectiveTrainer({
  objectives: (batch, mode) => network.losses(batch, targets, mode),
  variables: network.trainableVariables,
  parts: network.parts,
  strategy: mmpareto(),
  optimizer: fusedMomentum(network.trainableVariables, { learningRate: 1e-3, momentum: 0.9 }),
});
await trainer.trainOnBatch(inputs);
