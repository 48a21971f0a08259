import { useBackend } from '@multigrad/backends';
import * as tf from '@tensorflow/tfjs-core';
import { hypernetwork, learnParetoSet } from './pareto-set.js';
import { losses, optimum } from './quadratics.js';

await useBackend('cpu'); // networks this small are fastest there

const network = hypernetwork({ objectives: 2, weights: 6, seed: 1 });
await learnParetoSet(network, losses, {
  ...{ names: ['first', 'second'], steps: 1500, rate: 0.01, seed: 1 },
});

/** The losses of what the network gives for a preference. */
function lossesAt(preference) {
  return tf.tidy(() => {
    const found = losses(network.apply(tf.tensor2d([preference])));
    return Object.values(found).map((loss) => loss.dataSync()[0]);
  });
}

/** The optimal losses in the direction of some losses, by bisection of the closed form. */
function optimumTowards([first, second]) {
  let [low, high] = [0, 1];
  for (let round = 0; round < 60; round += 1) {
    const t = (low + high) / 2;
    const [one, two] = optimum(t);
    if (two / one > second / first) high = t;
    else low = t;
  }
  return optimum(low);
}

console.log('preference    losses          angle with the ray  beyond the known front');
for (const share of [0.1, 0.25, 0.5, 0.75, 0.9]) {
  const found = lossesAt([share, 1 - share]);
  // Equal products of preferences and losses.
  const ray = Math.atan2(share, 1 - share);
  const angle = (180 / Math.PI) * Math.abs(Math.atan2(found[1], found[0]) - ray);
  const beyond = 100 * (Math.hypot(...found) / Math.hypot(...optimumTowards(found)) - 1);
  console.log(
    `${share.toFixed(2)}, ${(1 - share).toFixed(2)}    ${found.map((loss) => loss.toFixed(3)).join(', ')}    ` +
      `${angle.toFixed(1)} degrees         ${beyond.toFixed(2)} %`,
  );
}
network.dispose();
