import { describe, expect, it } from 'vitest';
import { fromTorch, type TorchLayout, torchShapeOf, toTorch } from './layouts.ts';

/** Values that tell their own place in PyTorch: 10³·first + 10²·second + … */
function numbered(shape: readonly number[]): Float32Array {
  const values: number[] = [];
  const fill = (prefix: number, [size, ...rest]: readonly number[]): void => {
    if (size === undefined) values.push(prefix);
    else for (let index = 0; index < size; index += 1) fill(10 * prefix + index, rest);
  };
  fill(0, shape);
  return Float32Array.from(values);
}

const place = (shape: readonly number[], index: readonly number[]): number =>
  index.reduce((at, position, axis) => at * shape[axis]! + position, 0);

describe('layouts', () => {
  it.each<{ layout: TorchLayout; shape: number[]; torch: number[]; at: number[]; holds: number }>([
    { layout: 'as-is', shape: [2, 3], torch: [2, 3], at: [1, 2], holds: 12 },
    // Dense [in, out] from [out, in].
    { layout: 'kernel', shape: [2, 3], torch: [3, 2], at: [1, 2], holds: 21 },
    // conv1d [k, in, out] from [out, in, k].
    { layout: 'kernel', shape: [5, 2, 3], torch: [3, 2, 5], at: [4, 1, 2], holds: 214 },
    // conv2d HWIO from OIHW.
    { layout: 'kernel', shape: [5, 4, 2, 3], torch: [3, 2, 5, 4], at: [4, 3, 1, 2], holds: 2143 },
    // conv3d DHWIO from OIDHW.
    {
      layout: 'kernel',
      shape: [2, 3, 4, 5, 6],
      torch: [6, 5, 2, 3, 4],
      at: [1, 2, 3, 4, 5],
      holds: 54_123,
    },
    // Depthwise [kh, kw, in, multiplier]: output 2·1 + 0 belongs to input 1.
    {
      layout: 'depthwise',
      shape: [3, 4, 3, 2],
      torch: [6, 1, 3, 4],
      at: [2, 3, 1, 0],
      holds: 2023,
    },
    // Dense behind a flattened image of 2 channels, 3 × 4: row (y, x, c) from column (c, y, x).
    {
      layout: { flattened: [2, 3, 4] },
      shape: [24, 5],
      torch: [5, 24],
      at: [place([3, 4, 2], [2, 1, 1]), 4],
      holds: 4 * 10 + place([2, 3, 4], [1, 2, 1]),
    },
  ])('$layout of $shape', ({ layout, shape, torch, at, holds }) => {
    expect(torchShapeOf('kernel', layout, shape)).toEqual(torch);
    const stored = numbered(torch);
    const own = fromTorch(stored, layout, shape);
    expect(own[place(shape, at)]).toBe(holds);
    expect(toTorch(own, layout, shape)).toEqual(stored);
  });

  it('say which shape they do not suit', () => {
    for (const [layout, shape] of [
      ['kernel', [3]],
      ['depthwise', [3, 2]],
      [{ flattened: [2, 3, 4] }, [23, 5]],
    ] as const) {
      expect(() => torchShapeOf('gray/x', layout, shape)).toThrow(
        'of `gray/x` should suit its shape',
      );
    }
  });
});
