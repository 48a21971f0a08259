// A strategy of your own is a plain object: it says what it needs to see, and turns that into weights.
import { type GradientStrategy, integrateMatrix, norms } from '@multigrad/core/strategy';

/** Every gradient at unit length, added up. */
const unitSum = (): GradientStrategy => ({
  specification: 1,
  name: 'unit-sum',
  needs: { gradients: 'gramian' },
  init: () => null,
  integrate({ gramian }, state) {
    const weights = norms(gramian).map((length) => (length > 0 ? 1 / length : 0));
    return { weights, state };
  },
});

// Two losses of two parameters, each least at a place of its own, one ten times as steep.
const places = [
  [2, 0],
  [0, 1],
];
const steepness = [10, 1];
let point = [-1, -1];
for (let step = 0; step < 100; step += 1) {
  const gradients = places.map((place, k) =>
    place.map((at, i) => steepness[k]! * (point[i]! - at)),
  );
  const { update } = integrateMatrix(unitSum(), gradients, { step });
  point = point.map((at, i) => at - 0.02 * update[i]!);
  const losses = places.map(
    (place, k) =>
      (steepness[k]! / 2) * place.reduce((all, at, i) => all + (point[i]! - at) ** 2, 0),
  );
  plot({ steep: losses[0]!, flat: losses[1]! });
}
console.log('ends at', point);
