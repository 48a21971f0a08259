// Functions of each number that the backend's own kernels compute wrongly. The main thread alone calls them.
#include "common.h"

// out = x where x >= 0, else x * slope. Slopes lie `strides` apart along each of the axes: 0 where one is shared. The
// array is read as `outer` rows of the last axis; `position` is scratch for `rank` integers.
EXPORT void prelu(const float *x, const float *slopes, float *out, const int *lengths, const int *strides, int *position,
                  int rank, int outer) {
  int last = lengths[rank - 1], step = strides[rank - 1];
  for (int axis = 0; axis < rank; axis++) position[axis] = 0;
  const float *slope = slopes;
  for (int row = 0; row < outer; row++, x += last, out += last) {
    for (int c = 0; c < last; c++) out[c] = x[c] < 0 ? x[c] * slope[c * step] : x[c];
    for (int axis = rank - 2; axis >= 0; axis--) {
      slope += strides[axis];
      if (++position[axis] < lengths[axis]) break;
      slope -= (size_t)strides[axis] * lengths[axis];
      position[axis] = 0;
    }
  }
}

// NaN stays NaN, as the instructions for minimum and maximum have it.
EXPORT void clip(const float *x, float *out, int size, float lowest, float highest) {
  v128_t low = wasm_f32x4_splat(lowest), high = wasm_f32x4_splat(highest);
  int i = 0;
  for (; i + 4 <= size; i += 4)
    wasm_v128_store(out + i, wasm_f32x4_min(wasm_f32x4_max(wasm_v128_load(x + i), low), high));
  for (; i < size; i++) out[i] = x[i] < lowest ? lowest : x[i] > highest ? highest : x[i];
}

// The larger of two numbers, or the smaller; NaN where one of them is. A step of 0 repeats the first number.
EXPORT void extreme(const float *a, const float *b, float *out, int size, int stepA, int stepB, int largest) {
  for (int i = 0; i < size; i++) {
    float x = a[i * stepA], y = b[i * stepB];
    out[i] = x != x ? x : y != y ? y : (largest ? x > y : x < y) ? x : y;
  }
}
