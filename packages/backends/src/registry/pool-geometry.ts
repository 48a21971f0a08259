import { backend_util } from '@tensorflow/tfjs-core';
import type { PoolGeometry } from '../loops/pool-gradients.ts';

type Pool2DArguments = Parameters<typeof backend_util.computePool2DInfo>;
type Pool3DArguments = Parameters<typeof backend_util.computePool3DInfo>;

interface PoolAttributes {
  readonly filterSize: number | number[];
  readonly strides: number | number[];
  readonly pad: Pool2DArguments[4];
  readonly dimRoundingMode?: Pool2DArguments[5];
  readonly dataFormat?: 'NDHWC' | 'NCDHW' | 'NHWC';
}

/** A pooling's geometry and the shape of its output; null for channels first. */
export function poolGeometry(
  axes: 2 | 3,
  shape: readonly number[],
  attributes: unknown,
): { pool: PoolGeometry; outShape: readonly number[] } | null {
  const { filterSize, strides, pad, dimRoundingMode, dataFormat } = attributes as PoolAttributes;
  if (dataFormat === 'NCDHW') return null;
  if (axes === 2) {
    const info = backend_util.computePool2DInfo(
      shape as Pool2DArguments[0],
      filterSize as Pool2DArguments[1],
      strides as Pool2DArguments[2],
      1,
      pad,
      dimRoundingMode,
    );
    return {
      outShape: info.outShape,
      pool: {
        batch: info.batchSize,
        channels: info.inChannels,
        input: [1, info.inHeight, info.inWidth],
        output: [1, info.outHeight, info.outWidth],
        kernel: [1, info.filterHeight, info.filterWidth],
        strides: [1, info.strideHeight, info.strideWidth],
        before: [0, info.padInfo.top, info.padInfo.left],
      },
    };
  }
  const info = backend_util.computePool3DInfo(
    shape as Pool3DArguments[0],
    filterSize as Pool3DArguments[1],
    strides as Pool3DArguments[2],
    1,
    pad as Pool3DArguments[4],
    dimRoundingMode,
  );
  return {
    outShape: info.outShape,
    pool: {
      batch: info.batchSize,
      channels: info.inChannels,
      input: [info.inDepth, info.inHeight, info.inWidth],
      output: [info.outDepth, info.outHeight, info.outWidth],
      kernel: [info.filterDepth, info.filterHeight, info.filterWidth],
      strides: [info.strideDepth, info.strideHeight, info.strideWidth],
      before: [info.padInfo.front, info.padInfo.top, info.padInfo.left],
    },
  };
}
