// Gradients of depthwise convolution: output channel c * multiplier + m sees input channel c alone.
#include "common.h"

typedef struct {
  int batch, rows, columns, channels, multiplier, kernelRows, kernelColumns, outRows, outColumns;
  int rowStride, columnStride, rowDilation, columnDilation, top, left;
} Depthwise;

// Visits every (window position, tap) pair inside the input.
#define EACH_TAP(g, body)                                                                                \
  for (int n = 0; n < g.batch; n++)                                                                      \
    for (int i = 0; i < g.outRows; i++)                                                                  \
      for (int j = 0; j < g.outColumns; j++) {                                                           \
        size_t out = (((size_t)n * g.outRows + i) * g.outColumns + j) * g.channels * g.multiplier;       \
        for (int kh = 0; kh < g.kernelRows; kh++) {                                                      \
          int y = i * g.rowStride - g.top + kh * g.rowDilation;                                          \
          if (y < 0 || y >= g.rows) continue;                                                            \
          for (int kw = 0; kw < g.kernelColumns; kw++) {                                                 \
            int z = j * g.columnStride - g.left + kw * g.columnDilation;                                 \
            if (z < 0 || z >= g.columns) continue;                                                       \
            size_t in = (((size_t)n * g.rows + y) * g.columns + z) * g.channels;                         \
            size_t tap = ((size_t)kh * g.kernelColumns + kw) * g.channels * g.multiplier;                \
            body                                                                                         \
          }                                                                                              \
        }                                                                                                \
      }

#define GEOMETRY                                                                                         \
  int batch, int rows, int columns, int channels, int multiplier, int kernelRows, int kernelColumns,     \
      int outRows, int outColumns, int rowStride, int columnStride, int rowDilation, int columnDilation, \
      int top, int left
#define MAKE_GEOMETRY                                                                                    \
  Depthwise g = {batch, rows, columns, channels, multiplier, kernelRows, kernelColumns, outRows,         \
                 outColumns, rowStride, columnStride, rowDilation, columnDilation, top, left};

EXPORT void depthwise_filter_gradient(const float *x, const float *dy, float *dw, GEOMETRY) {
  MAKE_GEOMETRY
  clear(dw, (size_t)kernelRows * kernelColumns * channels * multiplier);
  EACH_TAP(g, {
    for (int c = 0; c < channels; c++)
      for (int m = 0; m < multiplier; m++) dw[tap + c * multiplier + m] += x[in + c] * dy[out + c * multiplier + m];
  })
}

EXPORT void depthwise_input_gradient(const float *dy, const float *filter, float *dx, GEOMETRY) {
  MAKE_GEOMETRY
  clear(dx, (size_t)batch * rows * columns * channels);
  EACH_TAP(g, {
    for (int c = 0; c < channels; c++)
      for (int m = 0; m < multiplier; m++) dx[in + c] += filter[tap + c * multiplier + m] * dy[out + c * multiplier + m];
  })
}
