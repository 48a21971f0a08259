// Average pooling over depth, rows and columns, and its gradient. Averages are over the places of a window that lie inside
// the input.
#include "jobs.h"

typedef struct {
  const float *from;
  float *to;
  int depth, rows, columns, channels, outDepth, outRows, outColumns;
  int kernelDepth, kernelRows, kernelColumns, depthStride, rowStride, columnStride;
  int front, top, left;
} AveragePool;

typedef struct {
  int first, last;
} Range;

// The part of a window that lies inside an axis.
INLINE Range inside(int output, int stride, int before, int kernel, int length) {
  int begin = output * stride - before;
  Range range = {max_int(begin, 0), min_int(begin + kernel, length)};
  return range;
}

// to[c] += scale * from[c].
INLINE void add_scaled(float *to, const float *from, float scale, int channels) {
  v128_t factor = wasm_f32x4_splat(scale);
  int c = 0;
  for (; c + 4 <= channels; c += 4)
    wasm_v128_store(to + c, wasm_f32x4_add(wasm_v128_load(to + c), wasm_f32x4_mul(factor, wasm_v128_load(from + c))));
  for (; c < channels; c++) to[c] += scale * from[c];
}

// One image: each window's output, or (backward) what each input gets of its windows' gradients.
INLINE void pool_average_image(const AveragePool *p, const float *from, float *to, int backward, Thread *self) {
  int channels = p->channels;
  int size = (backward ? p->depth * p->rows * p->columns : p->outDepth * p->outRows * p->outColumns) * channels;
  clear(to, (size_t)size);
  int output = 0;
  for (int d = 0; d < p->outDepth; d++) {
    Range depth = inside(d, p->depthStride, p->front, p->kernelDepth, p->depth);
    for (int i = 0; i < p->outRows; i++) {
      alive(self);
      Range row = inside(i, p->rowStride, p->top, p->kernelRows, p->rows);
      for (int j = 0; j < p->outColumns; j++, output += channels) {
        Range column = inside(j, p->columnStride, p->left, p->kernelColumns, p->columns);
        // A window outside of the input has a negative length: nothing is visited.
        int count = (depth.last - depth.first) * (row.last - row.first) * (column.last - column.first);
        float scale = 1.0f / (float)count;
        for (int u = depth.first; u < depth.last; u++)
          for (int v = row.first; v < row.last; v++)
            for (int w = column.first; w < column.last; w++) {
              int input = ((u * p->rows + v) * p->columns + w) * channels;
              if (backward) add_scaled(to + input, from + output, scale, channels);
              else add_scaled(to + output, from + input, scale, channels);
            }
      }
    }
  }
}

static void pool_average_piece(const void *arguments, int n, Thread *self) {
  const AveragePool *p = arguments;
  size_t in = (size_t)p->depth * p->rows * p->columns * p->channels;
  size_t out = (size_t)p->outDepth * p->outRows * p->outColumns * p->channels;
  pool_average_image(p, p->from + n * in, p->to + n * out, 0, self);
}

static void pool_average_gradient_piece(const void *arguments, int n, Thread *self) {
  const AveragePool *p = arguments;
  size_t in = (size_t)p->depth * p->rows * p->columns * p->channels;
  size_t out = (size_t)p->outDepth * p->outRows * p->outColumns * p->channels;
  pool_average_image(p, p->from + n * out, p->to + n * in, 1, self);
}

#define GEOMETRY                                                                                             \
  int batch, int depth, int rows, int columns, int channels, int outDepth, int outRows, int outColumns,      \
      int kernelDepth, int kernelRows, int kernelColumns, int depthStride, int rowStride, int columnStride,  \
      int front, int top, int left
#define POOL(from, to)                                                                                    \
  AveragePool p = {from,        to,         depth,         rows,        columns,   channels,     outDepth, \
                   outRows,     outColumns, kernelDepth,   kernelRows,  kernelColumns, depthStride,        \
                   rowStride,   columnStride, front,       top,         left};

EXPORT void pool_average(Job *job, const float *x, float *out, GEOMETRY) {
  POOL(x, out)
  PARALLEL(job, pool_average_piece, p, batch);
}

EXPORT void pool_average_gradient(Job *job, const float *dy, float *dx, GEOMETRY) {
  POOL(dy, dx)
  PARALLEL(job, pool_average_gradient_piece, p, batch);
}
