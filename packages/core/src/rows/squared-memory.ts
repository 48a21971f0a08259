import {
  abs,
  add,
  divNoNan,
  maximum,
  minimum,
  mul,
  sqrt,
  square,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core';

/**
 * A memory of squares after a step: `√(m² + g²)`, coordinate by coordinate, by way of the quotient of the two, so that no
 * square over- or underflows.
 *
 * @param memory - m before the step; null for zeros
 * @param row - the gradient times `scale`
 */
export function addSquares(memory: Tensor | null, row: Tensor, scale: number): Tensor {
  return tidy(() => {
    const size = abs(mul(row, 1 / scale));
    if (memory === null) return size;
    const greater = maximum(memory, size);
    const quotient = divNoNan(minimum(memory, size), greater);
    return mul(greater, sqrt(add(square(quotient), 1)));
  });
}

/** The gradient divided by the root of its memory of squares, coordinate by coordinate; 0 where that is 0. */
export function divideByRoot(row: Tensor, memory: Tensor, scale: number): Tensor {
  return tidy(() => divNoNan(mul(row, 1 / scale), sqrt(memory)));
}
