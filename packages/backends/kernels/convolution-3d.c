// Gradients of convolution over depth, rows and columns. The outer loops go over taps, the innermost one over channels.
#include "common.h"

typedef struct {
  int batch, depth, rows, columns, channels, outDepth, outRows, outColumns, outputs;
  int kernelDepth, kernelRows, kernelColumns, depthStride, rowStride, columnStride;
  int front, top, left;
} Convolution3D;

// Visits every (window position, tap) pair inside the input. The numbers of the input begin at `in`, those of the output at
// `out`, the tap's filter at `tap`.
#define EACH_TAP(g, body)                                                                            \
  for (int n = 0; n < g.batch; n++)                                                                  \
    for (int d = 0; d < g.outDepth; d++)                                                             \
      for (int i = 0; i < g.outRows; i++)                                                            \
        for (int j = 0; j < g.outColumns; j++) {                                                     \
          size_t out = ((((size_t)n * g.outDepth + d) * g.outRows + i) * g.outColumns + j) * g.outputs; \
          for (int kd = 0; kd < g.kernelDepth; kd++) {                                               \
            int u = d * g.depthStride - g.front + kd;                              \
            if (u < 0 || u >= g.depth) continue;                                                     \
            for (int kh = 0; kh < g.kernelRows; kh++) {                                              \
              int y = i * g.rowStride - g.top + kh;                                  \
              if (y < 0 || y >= g.rows) continue;                                                    \
              for (int kw = 0; kw < g.kernelColumns; kw++) {                                         \
                int z = j * g.columnStride - g.left + kw;                         \
                if (z < 0 || z >= g.columns) continue;                                               \
                size_t in = ((((size_t)n * g.depth + u) * g.rows + y) * g.columns + z) * g.channels; \
                size_t tap = (((size_t)kd * g.kernelRows + kh) * g.kernelColumns + kw) * g.channels * g.outputs; \
                body                                                                                 \
              }                                                                                      \
            }                                                                                        \
          }                                                                                          \
        }

#define GEOMETRY                                                                                        \
  int batch, int depth, int rows, int columns, int channels, int outDepth, int outRows, int outColumns, \
      int outputs, int kernelDepth, int kernelRows, int kernelColumns, int depthStride, int rowStride,  \
      int columnStride, int front, int top, int left
#define MAKE_GEOMETRY                                                                                            \
  Convolution3D g = {batch, depth, rows, columns, channels, outDepth, outRows, outColumns, outputs, kernelDepth, \
                     kernelRows, kernelColumns, depthStride, rowStride, columnStride, front, top, left};

// y += a x, n numbers.
INLINE void add_scaled(float *y, const float *x, float a, int n) {
  v128_t factor = wasm_f32x4_splat(a);
  int o = 0;
  for (; o + 4 <= n; o += 4) wasm_v128_store(y + o, mul_add(wasm_v128_load(y + o), factor, wasm_v128_load(x + o)));
  for (; o < n; o++) y[o] += a * x[o];
}

INLINE float inner(const float *x, const float *y, int n) {
  v128_t sum = zero4();
  int o = 0;
  for (; o + 4 <= n; o += 4) sum = mul_add(sum, wasm_v128_load(x + o), wasm_v128_load(y + o));
  float total = wasm_f32x4_extract_lane(sum, 0) + wasm_f32x4_extract_lane(sum, 1) +
                wasm_f32x4_extract_lane(sum, 2) + wasm_f32x4_extract_lane(sum, 3);
  for (; o < n; o++) total += x[o] * y[o];
  return total;
}

EXPORT void convolution_3d_filter_gradient(const float *x, const float *dy, float *dw, GEOMETRY) {
  MAKE_GEOMETRY
  clear(dw, (size_t)kernelDepth * kernelRows * kernelColumns * channels * outputs);
  EACH_TAP(g, {
    for (int c = 0; c < channels; c++) add_scaled(dw + tap + (size_t)c * outputs, dy + out, x[in + c], outputs);
  })
}

EXPORT void convolution_3d_input_gradient(const float *dy, const float *filter, float *dx, GEOMETRY) {
  MAKE_GEOMETRY
  clear(dx, (size_t)batch * depth * rows * columns * channels);
  EACH_TAP(g, {
    for (int c = 0; c < channels; c++) dx[in + c] += inner(dy + out, filter + tap + (size_t)c * outputs, outputs);
  })
}
