import { slice_util } from '@tensorflow/tfjs-core';

/** Which numbers a strided slice takes, axis by axis, and the shape that they get. */
export function stridedPlaces(
  shape: readonly number[],
  attributes: unknown,
): ReturnType<typeof slice_util.sliceInfo> {
  const given = attributes as {
    readonly begin: number[];
    readonly end: number[];
    readonly strides: number[];
    readonly beginMask: number;
    readonly endMask: number;
    readonly ellipsisMask: number;
    readonly newAxisMask: number;
    readonly shrinkAxisMask: number;
  };
  return slice_util.sliceInfo(
    [...shape],
    given.begin,
    given.end,
    given.strides,
    given.beginMask,
    given.endMask,
    given.ellipsisMask,
    given.newAxisMask,
    given.shrinkAxisMask,
  );
}
