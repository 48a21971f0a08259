import {
  backend_util as conv,
  concat,
  pad,
  reshape,
  slice,
  stridedSlice,
  type Tensor,
  type Tensor4D,
  transpose,
} from '@tensorflow/tfjs-core';
import { bound, type Form } from './factors.ts';

/** `y = conv2d(x, filter)`: row `(ky · width + kx) · channels + c` of the filter meets channel c of the shifted input. */
export const ofConvolution: Form = ({ call, input, use, delta, valueOf }) => {
  const { x, filter } = call.inputs as { x: Tensor; filter: Tensor };
  const {
    strides,
    pad: padding,
    dilations = 1,
    dataFormat = 'NHWC',
    dimRoundingMode,
  } = call.attributes;
  const value = valueOf(x);
  if (input !== 'filter' || dataFormat !== 'NHWC' || value?.rank !== 4) return null;
  const info = conv.computeConv2DInfo(
    value.shape as [number, number, number, number],
    filter.shape as [number, number, number, number],
    strides as [number, number],
    dilations as [number, number],
    padding as 'same',
    dimRoundingMode as 'floor' | undefined,
  );
  const { inChannels, outChannels, outHeight, outWidth, filterHeight, filterWidth } = info;
  const { top, bottom, left, right } = info.padInfo;
  const { inner, batch } = use.place;
  // Pictures of a sample must be neighbours.
  if (inner * batch !== delta.size) return null;
  const positions = inner / outChannels;
  // Channels before pixels: a shifted channel is copied row by row.
  const channelsFirst = (): Tensor4D => {
    const turned = transpose(value as Tensor4D, [0, 3, 1, 2]);
    const padding = [
      [0, 0],
      [0, 0],
      [top, bottom],
      [left, right],
    ] as [number, number][];
    return top + bottom + left + right === 0 ? turned : pad(turned, padding);
  };
  const shifted = (padded: Tensor4D, offset: number, begin: number, end: number): Tensor => {
    const from = [
      0,
      begin,
      Math.floor(offset / filterWidth) * info.dilationHeight,
      (offset % filterWidth) * info.dilationWidth,
    ] as [number, number, number, number];
    const [pictures] = padded.shape;
    const { strideHeight, strideWidth } = info;
    const size: [number, number] = [
      (outHeight - 1) * strideHeight + 1,
      (outWidth - 1) * strideWidth + 1,
    ];
    const taken =
      strideHeight === 1 && strideWidth === 1
        ? slice(padded, from, [pictures, end - begin, ...size])
        : stridedSlice(
            padded,
            from,
            [pictures, end, from[2] + size[0], from[3] + size[1]],
            [1, 1, strideHeight, strideWidth],
          );
    const pixels = outHeight * outWidth;
    if (pictures === batch) return reshape(taken, [batch, end - begin, positions]);
    // Several pictures belong to one sample.
    const apart = reshape(taken, [batch, pictures / batch, end - begin, pixels]);
    return reshape(transpose(apart, [0, 2, 1, 3]), [batch, end - begin, positions]);
  };
  const leftTurned = (begin: number, end: number): Tensor => {
    const padded = channelsFirst();
    const pieces: Tensor[] = [];
    for (let at = begin; at < end;) {
      const offset = Math.floor(at / inChannels);
      const last = Math.min(end, (offset + 1) * inChannels);
      pieces.push(shifted(padded, offset, at - offset * inChannels, last - offset * inChannels));
      at = last;
    }
    return pieces.length === 1 ? pieces[0]! : concat(pieces, 1);
  };
  return {
    kind: 'factors',
    positions,
    rows: filterHeight * filterWidth * inChannels,
    columns: outChannels,
    left: (begin, end) => transpose(leftTurned(begin, end), [0, 2, 1]),
    leftTurned,
    right: () => reshape(delta, [batch, positions, outChannels]),
    leftBound: () => bound(value, { inner: value.size / batch, batch }),
  };
};
