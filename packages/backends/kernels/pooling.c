// Gradient of max-pooling: each window's gradient goes to its first maximum.
#include "jobs.h"

typedef struct {
  const float *x, *dy;
  float *dx;
  int rows, columns, channels, outRows, outColumns, kernelRows, kernelColumns, rowStride, columnStride;
  int rowDilation, columnDilation, top, left;
} Pool;

// First maximum of a window among 4 channels: addresses relative to the image, -1 where the window is empty.
INLINE v128_t first_maximum(const Pool *p, const float *x, int i, int j, int c) {
  v128_t best = zero4(), where = wasm_i32x4_const_splat(-1);
  for (int kh = 0; kh < p->kernelRows; kh++) {
    int y = i * p->rowStride - p->top + kh * p->rowDilation;
    if (y < 0 || y >= p->rows) continue;
    for (int kw = 0; kw < p->kernelColumns; kw++) {
      int z = j * p->columnStride - p->left + kw * p->columnDilation;
      if (z < 0 || z >= p->columns) continue;
      int at = (y * p->columns + z) * p->channels + c;
      v128_t value = wasm_v128_load(x + at);
      // The first one seen is taken whatever it is, so that windows of -infinity or NaN have a maximum too.
      v128_t better = wasm_v128_or(wasm_f32x4_gt(value, best), wasm_i32x4_lt(where, wasm_i32x4_const_splat(0)));
      best = wasm_v128_bitselect(value, best, better);
      where = wasm_v128_bitselect(wasm_i32x4_splat(at), where, better);
    }
  }
  return where;
}

// Whether windows are 2 x 2, side by side and within the image, with at least one vector of channels.
INLINE int is_tiled(const Pool *p) {
  return p->kernelRows == 2 && p->kernelColumns == 2 && p->rowStride == 2 && p->columnStride == 2 && p->rowDilation == 1 &&
         p->columnDilation == 1 && p->top == 0 && p->left == 0 && 2 * p->outRows <= p->rows &&
         2 * p->outColumns <= p->columns && p->channels >= 4;
}

// One window of such a pooling for 4 channels: every place gets its gradient or zero, so that nothing is cleared before.
INLINE void tile(const float *x, const float *dy, float *dx, int right, int below) {
  v128_t a = wasm_v128_load(x), b = wasm_v128_load(x + right), c = wasm_v128_load(x + below);
  v128_t left = wasm_v128_load(dy);
  v128_t second = wasm_f32x4_gt(b, a), best = wasm_v128_bitselect(b, a, second);
  v128_t third = wasm_f32x4_gt(c, best);
  best = wasm_v128_bitselect(c, best, third);
  v128_t fourth = wasm_f32x4_gt(wasm_v128_load(x + below + right), best);
  wasm_v128_store(dx + below + right, wasm_v128_and(left, fourth));
  left = wasm_v128_andnot(left, fourth);
  wasm_v128_store(dx + below, wasm_v128_and(left, third));
  left = wasm_v128_andnot(left, third);
  wasm_v128_store(dx + right, wasm_v128_and(left, second));
  wasm_v128_store(dx, wasm_v128_andnot(left, second));
}

static void pool_tiles(const Pool *p, const float *x, const float *dy, float *dx, Thread *self) {
  int channels = p->channels, below = p->columns * channels;
  // A row or column that is left over belongs to no window.
  if (2 * p->outRows < p->rows || 2 * p->outColumns < p->columns) clear(dx, (size_t)p->rows * below);
  for (int i = 0; i < p->outRows; i++) {
    alive(self);
    size_t at = (size_t)2 * i * below;
    for (int j = 0; j < p->outColumns; j++, dy += channels, at += 2 * channels) {
      int c = 0;
      for (; c + 4 <= channels; c += 4) tile(x + at + c, dy + c, dx + at + c, channels, below);
      // The last channels once more, with those before them: the same numbers are written.
      if (c < channels) tile(x + at + channels - 4, dy + channels - 4, dx + at + channels - 4, channels, below);
    }
  }
}

static void pool_image(const void *arguments, int n, Thread *self) {
  const Pool *p = arguments;
  int image = p->rows * p->columns * p->channels, channels = p->channels;
  const float *x = p->x + (size_t)n * image, *dy = p->dy + (size_t)n * p->outRows * p->outColumns * channels;
  float *dx = p->dx + (size_t)n * image;
  if (is_tiled(p)) {
    pool_tiles(p, x, dy, dx, self);
    return;
  }
  clear(dx, (size_t)image);
  for (int i = 0; i < p->outRows; i++) {
    alive(self);
    for (int j = 0; j < p->outColumns; j++, dy += channels) {
      int c = 0;
      for (; c + 4 <= channels; c += 4) {
        int index[4];
        wasm_v128_store(index, first_maximum(p, x, i, j, c));
        for (int k = 0; k < 4; k++)
          if (index[k] >= 0) dx[index[k] + k] += dy[c + k];
      }
      for (; c < channels; c++) {
        int at = -1;
        for (int kh = 0; kh < p->kernelRows; kh++) {
          int y = i * p->rowStride - p->top + kh * p->rowDilation;
          if (y < 0 || y >= p->rows) continue;
          for (int kw = 0; kw < p->kernelColumns; kw++) {
            int z = j * p->columnStride - p->left + kw * p->columnDilation;
            if (z < 0 || z >= p->columns) continue;
            int candidate = (y * p->columns + z) * channels + c;
            if (at < 0 || x[candidate] > x[at]) at = candidate;
          }
        }
        if (at >= 0) dx[at] += dy[c];
      }
    }
  }
}

EXPORT void max_pool_gradient(Job *job, const float *x, const float *dy, float *dx, int batch, int rows, int columns,
                              int channels, int outRows, int outColumns, int kernelRows, int kernelColumns,
                              int rowStride, int columnStride, int rowDilation, int columnDilation, int top,
                              int left) {
  Pool p = {x, dy, dx, rows, columns, channels, outRows, outColumns, kernelRows, kernelColumns, rowStride,
            columnStride, rowDilation, columnDilation, top, left};
  PARALLEL(job, pool_image, p, batch);
}
