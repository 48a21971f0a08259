import { randomState, resumeRandom } from '@multigrad/core/strategy';

/** Sizes of the small network of the self-test: convolution 3 × 3, relu, max-pooling, dense layer, cross-entropy. */
export const sizes = { batch: 2, side: 8, channels: 4, classes: 3 } as const;

const { batch, side, channels, classes } = sizes;
const half = side / 2;
const features = half * half * channels;

/** Numbers that the network computes with. */
export interface Problem {
  /** [batch, side, side, 1] */
  readonly images: readonly number[];
  readonly labels: readonly number[];
  /** [3, 3, 1, channels] */
  readonly filter: readonly number[];
  /** [features, classes] */
  readonly weights: readonly number[];
}

/** The problem of the self-test, the same at every call. */
export function makeProblem(): Problem {
  const random = resumeRandom(randomState(7, 'self-test'));
  const normal = (count: number, deviation: number): number[] =>
    // Rounded to float32, so that the backend and this reference compute with the same numbers.
    Array.from({ length: count }, () => Math.fround(deviation * random.normal()));
  return {
    images: normal(batch * side * side, 1),
    labels: Array.from({ length: batch }, (_, n) => n % classes),
    filter: normal(9 * channels, 0.5),
    weights: normal(features * classes, 0.2),
  };
}

/** Gradients of the loss with respect to filter and weights, by central differences in float64. */
export function referenceGradients(problem: Problem): { filter: number[]; weights: number[] } {
  const slopes = (name: 'filter' | 'weights'): number[] =>
    problem[name].map((value, index) => {
      const step = 1e-5;
      const near = (moved: number): number =>
        loss({ ...problem, [name]: problem[name].with(index, moved) });
      return (near(value + step) - near(value - step)) / (2 * step);
    });
  return { filter: slopes('filter'), weights: slopes('weights') };
}

/** The mean cross-entropy of the network, from its definition. */
function loss({ images, labels, filter, weights }: Problem): number {
  let total = 0;
  for (let n = 0; n < batch; n += 1) {
    const pooled = new Array<number>(features).fill(0);
    for (let i = 0; i < side; i += 1) {
      for (let j = 0; j < side; j += 1) {
        for (let c = 0; c < channels; c += 1) {
          let sum = 0;
          for (let tap = 0; tap < 9; tap += 1) {
            const [row, column] = [i + Math.floor(tap / 3) - 1, j + (tap % 3) - 1];
            if (row < 0 || row >= side || column < 0 || column >= side) continue;
            sum += images[(n * side + row) * side + column]! * filter[tap * channels + c]!;
          }
          // Relu first: what is pooled is at least 0.
          const at = (Math.floor(i / 2) * half + Math.floor(j / 2)) * channels + c;
          pooled[at] = Math.max(pooled[at]!, sum);
        }
      }
    }
    const logits = Array.from({ length: classes }, (_, k) =>
      pooled.reduce((sum, value, f) => sum + value * weights[f * classes + k]!, 0),
    );
    const powers = logits.map(Math.exp).reduce((a, b) => a + b);
    total += Math.log(powers) - logits[labels[n]!]!;
  }
  return total / batch;
}
