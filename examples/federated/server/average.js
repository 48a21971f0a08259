/**
 * Weights moved by the clients' changes, each in proportion to its samples: `w + Σ nᵢ δᵢ / Σ nᵢ`. Without a change they stay.
 *
 * @param {Float32Array} weights
 * @param {readonly { samples: number, delta: Float32Array }[]} updates - in the order in which they are added up
 * @see McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data", AISTATS 2017
 *   (https://arxiv.org/abs/1602.05629), algorithm 1
 */
export function averaged(weights, updates) {
  const total = updates.reduce((sum, { samples }) => sum + samples, 0);
  if (total === 0) return weights;
  return weights.map((weight, i) => {
    const moved = updates.reduce((sum, { samples, delta }) => sum + samples * delta[i], 0);
    return weight + moved / total;
  });
}
