// Gradient of max-pooling: each window's gradient goes to its first maximum.
#include "common.h"

EXPORT void max_pool_gradient(const float *x, const float *dy, float *dx, int batch, int rows, int columns,
                              int channels, int outRows, int outColumns, int kernelRows, int kernelColumns,
                              int rowStride, int columnStride, int rowDilation, int columnDilation, int top,
                              int left) {
  __builtin_memset(dx, 0, (size_t)batch * rows * columns * channels * sizeof(float));
  for (int n = 0; n < batch; n++)
    for (int i = 0; i < outRows; i++)
      for (int j = 0; j < outColumns; j++, dy += channels) {
        int c = 0;
        for (; c + 4 <= channels; c += 4) {
          v128_t best = zero4(), where = wasm_i32x4_const_splat(-1);
          for (int kh = 0; kh < kernelRows; kh++) {
            int y = i * rowStride - top + kh * rowDilation;
            if (y < 0 || y >= rows) continue;
            for (int kw = 0; kw < kernelColumns; kw++) {
              int z = j * columnStride - left + kw * columnDilation;
              if (z < 0 || z >= columns) continue;
              int at = ((n * rows + y) * columns + z) * channels + c;
              v128_t value = wasm_v128_load(x + at);
              // The first one seen is taken whatever it is, so that windows of -infinity or NaN have a maximum too.
              v128_t better = wasm_v128_or(wasm_f32x4_gt(value, best), wasm_i32x4_lt(where, wasm_i32x4_const_splat(0)));
              best = wasm_v128_bitselect(value, best, better);
              where = wasm_v128_bitselect(wasm_i32x4_splat(at), where, better);
            }
          }
          int index[4];
          wasm_v128_store(index, where);
          for (int k = 0; k < 4; k++)
            if (index[k] >= 0) dx[index[k] + k] += dy[c + k];
        }
        for (; c < channels; c++) {
          int at = -1;
          for (int kh = 0; kh < kernelRows; kh++) {
            int y = i * rowStride - top + kh * rowDilation;
            if (y < 0 || y >= rows) continue;
            for (int kw = 0; kw < kernelColumns; kw++) {
              int z = j * columnStride - left + kw * columnDilation;
              if (z < 0 || z >= columns) continue;
              int candidate = ((n * rows + y) * columns + z) * channels + c;
              if (at < 0 || x[candidate] > x[at]) at = candidate;
            }
          }
          if (at >= 0) dx[at] += dy[c];
        }
      }
}
