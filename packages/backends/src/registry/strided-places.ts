import { slice_util } from '@tensorflow/tfjs-core';

/** The places that a strided slice takes along each axis, and the shape of its result. */
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
