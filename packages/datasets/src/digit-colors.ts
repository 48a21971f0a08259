/** Red, green and blue, 0 to 255 each. */
export type Rgb = readonly [red: number, green: number, blue: number];

/**
 * The ten mean colours of coloured-and-gray MNIST, by digit.
 *
 * @example
 * ```ts
 * import { digitColors } from '@multigrad/datasets';
 *
 * console.log(digitColors[0]); // [ 220, 20, 60 ]
 * ```
 */
export const digitColors: readonly Rgb[] = [
  [220, 20, 60],
  [0, 128, 128],
  [253, 233, 16],
  [0, 149, 182],
  [237, 145, 33],
  [145, 30, 188],
  [70, 240, 240],
  [250, 197, 187],
  [210, 245, 60],
  [128, 0, 0],
];
