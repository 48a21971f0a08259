/** For each new pixel along one axis, the two old neighbors that it comes from and the share of the second. */
interface Sources {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Float64Array;
}

type Shape = readonly number[];

/**
 * Computes the gradient `dx` of an image [batch, rows, columns, channels] that was resized. Each new pixel's gradient is
 * added to the old pixels that it came from, with the same weights. Corners are where TensorFlow.js has them without
 * `halfPixelCenters`.
 *
 * @param dx - holds zeros, and receives the gradient
 */
export function resizeGradient(
  kind: 'bilinear' | 'nearest',
  dy: Float32Array,
  dx: Float32Array,
  [batch, rows, columns, channels]: Shape,
  [, newRows, newColumns]: Shape,
  alignCorners: boolean,
): void {
  const sourcesOf = kind === 'bilinear' ? neighbors : nearest;
  const row = sourcesOf(rows!, newRows!, alignCorners);
  const column = sourcesOf(columns!, newColumns!, alignCorners);
  let from = 0;
  const give = (n: number, i: number, j: number, weight: number): void => {
    // A weight of 0 adds nothing, also where the gradient is not finite.
    if (weight === 0) return;
    const to = ((n * rows! + i) * columns! + j) * channels!;
    for (let c = 0; c < channels!; c += 1) dx[to + c]! += weight * dy[from + c]!;
  };
  for (let n = 0; n < batch!; n += 1) {
    for (let i = 0; i < newRows!; i += 1) {
      const [top, bottom, down] = [row.first[i]!, row.second[i]!, row.share[i]!];
      for (let j = 0; j < newColumns!; j += 1, from += channels!) {
        const [left, right, across] = [column.first[j]!, column.second[j]!, column.share[j]!];
        give(n, top, left, (1 - down) * (1 - across));
        give(n, top, right, (1 - down) * across);
        give(n, bottom, left, down * (1 - across));
        give(n, bottom, right, down * across);
      }
    }
  }
}

function neighbors(length: number, newLength: number, alignCorners: boolean): Sources {
  return placesOf(length, newLength, alignCorners, (place) => {
    const first = Math.floor(place);
    return [first, Math.min(length - 1, Math.ceil(place)), place - first];
  });
}

function nearest(length: number, newLength: number, alignCorners: boolean): Sources {
  return placesOf(length, newLength, alignCorners, (place) => {
    const only = Math.min(length - 1, alignCorners ? Math.round(place) : Math.floor(place));
    return [only, only, 0];
  });
}

function placesOf(
  length: number,
  newLength: number,
  alignCorners: boolean,
  sourceOf: (place: number) => [number, number, number],
): Sources {
  const corner = alignCorners && newLength > 1 ? 1 : 0;
  const step = (length - corner) / (newLength - corner);
  const sources = Array.from({ length: newLength }, (_, i) => sourceOf(i * step));
  return {
    first: Int32Array.from(sources, ([first]) => first),
    second: Int32Array.from(sources, ([, second]) => second),
    share: Float64Array.from(sources, ([, , share]) => share),
  };
}
