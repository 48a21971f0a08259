// Max-pooling over depth, rows and columns, and its gradient; channel by channel, as windows are small.
#include "common.h"

typedef struct {
  int depth, rows, columns, channels;
  int kernelDepth, kernelRows, kernelColumns;
  int depthStride, rowStride, columnStride;
  int front, top, left;
} Pool3D;

// Offset of the first maximum of the window at (d, i, j) of image n in channel c; -1 for a window outside the input.
static int first_maximum(const Pool3D *p, const float *x, int n, int d, int i, int j, int c) {
  int best = -1;
  for (int kd = 0; kd < p->kernelDepth; kd++) {
    int u = d * p->depthStride - p->front + kd;
    if (u < 0 || u >= p->depth) continue;
    for (int kh = 0; kh < p->kernelRows; kh++) {
      int v = i * p->rowStride - p->top + kh;
      if (v < 0 || v >= p->rows) continue;
      for (int kw = 0; kw < p->kernelColumns; kw++) {
        int w = j * p->columnStride - p->left + kw;
        if (w < 0 || w >= p->columns) continue;
        int at = (((n * p->depth + u) * p->rows + v) * p->columns + w) * p->channels + c;
        if (best < 0 || x[at] > x[best]) best = at;
      }
    }
  }
  return best;
}

#define GEOMETRY_3D                                                                                         \
  int batch, int depth, int rows, int columns, int channels, int outDepth, int outRows, int outColumns,     \
      int kernelDepth, int kernelRows, int kernelColumns, int depthStride, int rowStride, int columnStride, \
      int front, int top, int left
#define EACH_WINDOW(body)                                                                             \
  Pool3D p = {depth,       rows,      columns,      channels, kernelDepth, kernelRows, kernelColumns, \
              depthStride, rowStride, columnStride, front,    top,         left};                     \
  for (int n = 0; n < batch; n++)                                                                     \
    for (int d = 0; d < outDepth; d++)                                                                \
      for (int i = 0; i < outRows; i++)                                                               \
        for (int j = 0; j < outColumns; j++)                                                          \
          for (int c = 0; c < channels; c++) {                                                        \
            int best = first_maximum(&p, x, n, d, i, j, c);                                           \
            body                                                                                      \
          }

EXPORT void max_pool_3d(const float *x, float *out, GEOMETRY_3D) {
  EACH_WINDOW({ *out++ = best < 0 ? -__builtin_inff() : x[best]; })
}

EXPORT void max_pool_3d_gradient(const float *x, const float *dy, float *dx, GEOMETRY_3D) {
  clear(dx, (size_t)batch * depth * rows * columns * channels);
  EACH_WINDOW({
    if (best >= 0) dx[best] += *dy;
    dy++;
  })
}
