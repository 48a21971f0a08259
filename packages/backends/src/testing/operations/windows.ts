import { positions } from './operation-case.ts';

/**
 * A padding as `tf.conv2d` takes it: by name, one number for every side, or numbers before and after for each spatial
 * axis.
 */
export type Padding = 'same' | 'valid' | number | [number, number][];

/** The windows over spatial axes: their sizes, the steps between them, where the first begins, and their number. */
export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly outputs: readonly number[];
}

/**
 * The windows of a convolution or pooling over axes of these lengths. `round` rounds their number where they do not fit
 * exactly.
 */
export function windowsOf(
  lengths: readonly number[],
  kernel: readonly number[],
  strides: readonly number[],
  pad: Padding,
  dilations: readonly number[] = kernel.map(() => 1),
  round: (x: number) => number = Math.floor,
): Windows {
  const span = kernel.map((taps, i) => (taps - 1) * dilations[i]! + 1);
  if (pad === 'same') {
    const outputs = lengths.map((length, i) => Math.ceil(length / strides[i]!));
    const before = lengths.map((length, i) =>
      Math.floor(Math.max(0, (outputs[i]! - 1) * strides[i]! + span[i]! - length) / 2),
    );
    return { kernel, strides, dilations, before, outputs };
  }
  const ends = lengths.map((_, i): [number, number] =>
    pad === 'valid' ? [0, 0] : typeof pad === 'number' ? [pad, pad] : pad[i]!,
  );
  const outputs = lengths.map(
    (length, i) => round((length + ends[i]![0] + ends[i]![1] - span[i]!) / strides[i]!) + 1,
  );
  return { kernel, strides, dilations, before: ends.map(([before]) => before), outputs };
}

/** The place of each tap of a window, which may lie outside of the array. */
export function taps(
  windows: Windows,
  output: readonly number[],
): { tap: readonly number[]; place: number[] }[] {
  return positions(windows.kernel).map((tap) => ({
    tap,
    place: tap.map(
      (k, i) => output[i]! * windows.strides[i]! + k * windows.dilations[i]! - windows.before[i]!,
    ),
  }));
}

/** Whether a position lies in an array of these lengths. */
export const inside = (place: readonly number[], lengths: readonly number[]): boolean =>
  place.every((index, i) => index >= 0 && index < lengths[i]!);

/** Paddings as `tf.conv2d` and `tf.avgPool` take them. */
export function padding2d(pad: Padding): 'same' | 'valid' | number {
  return (Array.isArray(pad) ? [[0, 0], ...pad, [0, 0]] : pad) as 'same';
}

/** Marks the cases that TensorFlow.js refuses on native TensorFlow, because of their padding. */
export const paddedByNative = {
  refusedBy: { tensorflow: 'TensorFlow.js pads with `same` and `valid` alone there' },
};
