// Direct convolution over a zero-padded input with packed filter panels.
//
// A panel holds 8 (or 4) output channels of every tap: [taps * inputs][width]. A block of output positions shares each
// load of the panel; the accumulators stay in registers through all taps.
#include "common.h"

// Where output positions lie and where their windows begin.
typedef struct {
  const float *input;   // padded, at the first window
  float *output;        // at the first position
  int batch, rows, columns;                     // output positions
  int rowStride, columnStride;                  // input rows and columns between neighbouring windows
  int inputRow, inputImage;                     // floats from one input row, image to the next
  int outputColumn, outputRow, outputImage;     // floats from one output column, row, image to the next
  int channels;                                 // input channels
} Geometry;

#define ROWS 6

// The addresses of a block of positions; past the end the last position is repeated and not stored.
INLINE void locate(const Geometry *g, int first, int total, const float *window[ROWS], float *target[ROWS]) {
  for (int i = 0; i < ROWS; i++) {
    int position = min_int(first + i, total - 1);
    int image = position / (g->rows * g->columns);
    int rest = position - image * g->rows * g->columns;
    int row = rest / g->columns;
    int column = rest - row * g->columns;
    window[i] = g->input + (size_t)image * g->inputImage + (size_t)row * g->rowStride * g->inputRow +
                (size_t)column * g->columnStride * g->channels;
    target[i] = g->output + (size_t)image * g->outputImage + (size_t)row * g->outputRow +
                (size_t)column * g->outputColumn;
  }
}

INLINE void store_some(float *target, v128_t low, v128_t high, int count) {
  if (count >= 8) {
    wasm_v128_store(target, low);
    wasm_v128_store(target + 4, high);
    return;
  }
  float values[8];
  wasm_v128_store(values, low);
  wasm_v128_store(values + 4, high);
  for (int j = 0; j < count; j++) target[j] = values[j];
}

// 6 positions x 8 channels.
INLINE void block8(const float *const window[ROWS], float *const target[ROWS], const float *panel, int taps, int run,
                   int inputRow, int valid, int channel, int count) {
  v128_t a0 = zero4(), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
  v128_t b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0;
  for (int tap = 0; tap < taps; tap++) {
    const float *x0 = window[0] + (size_t)tap * inputRow, *x1 = window[1] + (size_t)tap * inputRow;
    const float *x2 = window[2] + (size_t)tap * inputRow, *x3 = window[3] + (size_t)tap * inputRow;
    const float *x4 = window[4] + (size_t)tap * inputRow, *x5 = window[5] + (size_t)tap * inputRow;
    for (int r = 0; r < run; r++, panel += 8) {
      v128_t u = wasm_v128_load(panel), v = wasm_v128_load(panel + 4), s;
      s = wasm_v128_load32_splat(x0 + r); a0 = mul_add(a0, s, u); b0 = mul_add(b0, s, v);
      s = wasm_v128_load32_splat(x1 + r); a1 = mul_add(a1, s, u); b1 = mul_add(b1, s, v);
      s = wasm_v128_load32_splat(x2 + r); a2 = mul_add(a2, s, u); b2 = mul_add(b2, s, v);
      s = wasm_v128_load32_splat(x3 + r); a3 = mul_add(a3, s, u); b3 = mul_add(b3, s, v);
      s = wasm_v128_load32_splat(x4 + r); a4 = mul_add(a4, s, u); b4 = mul_add(b4, s, v);
      s = wasm_v128_load32_splat(x5 + r); a5 = mul_add(a5, s, u); b5 = mul_add(b5, s, v);
    }
  }
  const v128_t low[ROWS] = {a0, a1, a2, a3, a4, a5}, high[ROWS] = {b0, b1, b2, b3, b4, b5};
  for (int i = 0; i < valid; i++) store_some(target[i] + channel, low[i], high[i], count);
}

// 6 positions x 4 channels, for the last panel where at most 4 channels are left.
INLINE void block4(const float *const window[ROWS], float *const target[ROWS], const float *panel, int taps, int run,
                   int inputRow, int valid, int channel, int count) {
  v128_t a0 = zero4(), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0;
  for (int tap = 0; tap < taps; tap++) {
    const float *x0 = window[0] + (size_t)tap * inputRow, *x1 = window[1] + (size_t)tap * inputRow;
    const float *x2 = window[2] + (size_t)tap * inputRow, *x3 = window[3] + (size_t)tap * inputRow;
    const float *x4 = window[4] + (size_t)tap * inputRow, *x5 = window[5] + (size_t)tap * inputRow;
    for (int r = 0; r < run; r++, panel += 4) {
      v128_t u = wasm_v128_load(panel);
      a0 = mul_add(a0, wasm_v128_load32_splat(x0 + r), u);
      a1 = mul_add(a1, wasm_v128_load32_splat(x1 + r), u);
      a2 = mul_add(a2, wasm_v128_load32_splat(x2 + r), u);
      a3 = mul_add(a3, wasm_v128_load32_splat(x3 + r), u);
      a4 = mul_add(a4, wasm_v128_load32_splat(x4 + r), u);
      a5 = mul_add(a5, wasm_v128_load32_splat(x5 + r), u);
    }
  }
  const v128_t low[ROWS] = {a0, a1, a2, a3, a4, a5};
  for (int i = 0; i < valid; i++) {
    if (count == 4) {
      wasm_v128_store(target[i] + channel, low[i]);
      continue;
    }
    float values[4];
    wasm_v128_store(values, low[i]);
    for (int j = 0; j < count; j++) target[i][channel + j] = values[j];
  }
}

// Channels of one panel: 8, or 4 at the end where that is enough.
INLINE int panel_width(int left) { return left > 4 ? 8 : 4; }

static void convolve(const Geometry *g, const float *panels, int taps, int run, int outputs) {
  int total = g->batch * g->rows * g->columns;
  for (int first = 0; first < total; first += ROWS) {
    const float *window[ROWS];
    float *target[ROWS];
    locate(g, first, total, window, target);
    int valid = min_int(ROWS, total - first);
    const float *panel = panels;
    for (int channel = 0; channel < outputs;) {
      int left = outputs - channel, width = panel_width(left);
      if (width == 8) block8(window, target, panel, taps, run, g->inputRow, valid, channel, min_int(left, 8));
      else block4(window, target, panel, taps, run, g->inputRow, valid, channel, left);
      panel += (size_t)taps * run * width;
      channel += width;
    }
  }
}

// out[n, outRow + i * outRowStep, outColumn + j * outColumnStep, :] =
//   sum over taps of padded[n, row + i * rowStride + kh, column + j * columnStride + kw, :] . filter[kh, kw, :, :]
// for i < rows, j < columns. `padded` is [batch, paddedRows, paddedColumns, channels], `out` [batch, outRows, outColumns, outputs].
EXPORT void convolution(const float *padded, const float *panels, float *out, int batch, int paddedRows,
                        int paddedColumns, int channels, int kernelRows, int kernelColumns, int rowStride,
                        int columnStride, int row, int column, int rows, int columns, int outputs, int outRows,
                        int outColumns, int outRow, int outColumn, int outRowStep, int outColumnStep) {
  Geometry g;
  g.input = padded + ((size_t)row * paddedColumns + column) * channels;
  g.output = out + ((size_t)outRow * outColumns + outColumn) * outputs;
  g.batch = batch;
  g.rows = rows;
  g.columns = columns;
  g.rowStride = rowStride;
  g.columnStride = columnStride;
  g.inputRow = paddedColumns * channels;
  g.inputImage = paddedRows * paddedColumns * channels;
  g.outputColumn = outColumnStep * outputs;
  g.outputRow = outRowStep * outColumns * outputs;
  g.outputImage = outRows * outColumns * outputs;
  g.channels = channels;
  convolve(&g, panels, kernelRows, kernelColumns * channels, outputs);
}

// out[m, n] = sum_k a[m, k] * b[k, n], with b in panels.
EXPORT void product(const float *a, const float *panels, float *out, int m, int n, int k) {
  Geometry g;
  g.input = a;
  g.output = out;
  g.batch = 1;
  g.rows = 1;
  g.columns = m;
  g.rowStride = 1;
  g.columnStride = 1;
  g.inputRow = 0;
  g.inputImage = 0;
  g.outputColumn = n;
  g.outputRow = 0;
  g.outputImage = 0;
  g.channels = k;
  convolve(&g, panels, 1, k, n);
}

// Packs a filter [kernelRows, kernelColumns, channels, outputs] into panels.
EXPORT void pack_filter(const float *filter, float *panels, int kernelRows, int kernelColumns, int channels,
                        int outputs) {
  int depth = kernelRows * kernelColumns * channels;
  for (int channel = 0; channel < outputs;) {
    int left = outputs - channel, width = panel_width(left);
    for (int d = 0; d < depth; d++)
      for (int j = 0; j < width; j++) *panels++ = j < left ? filter[(size_t)d * outputs + channel + j] : 0;
    channel += width;
  }
}

// Packs the taps of one phase of the input gradient: rows rowPhase, rowPhase + rowStride, ..., turned by 180 degrees,
// with inputs and outputs exchanged.
EXPORT void pack_phase(const float *filter, float *panels, int kernelRows, int kernelColumns, int channels,
                       int outputs, int rowPhase, int columnPhase, int rowStride, int columnStride) {
  int rows = (kernelRows - rowPhase + rowStride - 1) / rowStride;
  int columns = (kernelColumns - columnPhase + columnStride - 1) / columnStride;
  for (int channel = 0; channel < channels;) {
    int left = channels - channel, width = panel_width(left);
    for (int i = rows - 1; i >= 0; i--)
      for (int j = columns - 1; j >= 0; j--) {
        int tap = (rowPhase + i * rowStride) * kernelColumns + columnPhase + j * columnStride;
        for (int o = 0; o < outputs; o++)
          for (int c = 0; c < width; c++)
            *panels++ = c < left ? filter[((size_t)tap * channels + channel + c) * outputs + o] : 0;
      }
    channel += width;
  }
}

// Packs b [k, n] (or its transpose, stored [n, k]) into panels.
EXPORT void pack_matrix(const float *b, float *panels, int k, int n, int transposed) {
  if (!transposed) {
    pack_filter(b, panels, 1, 1, k, n);
    return;
  }
  for (int column = 0; column < n;) {
    int left = n - column, width = panel_width(left);
    for (int d = 0; d < k; d++)
      for (int j = 0; j < width; j++) *panels++ = j < left ? b[(size_t)(column + j) * k + d] : 0;
    column += width;
  }
}

// out [columns, rows] = transpose of x [rows, columns], in blocks that fit the cache.
EXPORT void transpose(const float *x, float *out, int rows, int columns) {
  for (int i0 = 0; i0 < rows; i0 += 16)
    for (int j0 = 0; j0 < columns; j0 += 16)
      for (int j = j0; j < min_int(j0 + 16, columns); j++)
        for (int i = i0; i < min_int(i0 + 16, rows); i++) out[(size_t)j * rows + i] = x[(size_t)i * columns + j];
}

// Copies x [batch, rows, columns, channels] into the middle of zeros [batch, paddedRows, paddedColumns, channels].
// Negative offsets crop.
EXPORT void pad(const float *x, float *padded, int batch, int rows, int columns, int channels, int paddedRows,
                int paddedColumns, int top, int left) {
  int begin = max_int(0, -left), end = min_int(columns, paddedColumns - left);
  size_t rowSize = (size_t)paddedColumns * channels;
  for (int n = 0; n < batch; n++)
    for (int y = 0; y < paddedRows; y++, padded += rowSize) {
      int row = y - top;
      if (row < 0 || row >= rows || end <= begin) {
        __builtin_memset(padded, 0, rowSize * sizeof(float));
        continue;
      }
      size_t before = (size_t)(begin + left) * channels, inside = (size_t)(end - begin) * channels;
      __builtin_memset(padded, 0, before * sizeof(float));
      __builtin_memcpy(padded + before, x + (((size_t)n * rows + row) * columns + begin) * channels,
                       inside * sizeof(float));
      __builtin_memset(padded + before + inside, 0, (rowSize - before - inside) * sizeof(float));
    }
}

// One block of the filter gradient over one image: 4 rows of the filter x 8 outputs in registers.
INLINE void gradient_block(const float *x, const float *dy, float *dw, int rows, int columns, int rowStep, int step,
                           int outputs) {
  float *w0 = dw, *w1 = dw + outputs, *w2 = w1 + outputs, *w3 = w2 + outputs;
  v128_t a0 = wasm_v128_load(w0), b0 = wasm_v128_load(w0 + 4), a1 = wasm_v128_load(w1), b1 = wasm_v128_load(w1 + 4);
  v128_t a2 = wasm_v128_load(w2), b2 = wasm_v128_load(w2 + 4), a3 = wasm_v128_load(w3), b3 = wasm_v128_load(w3 + 4);
  for (int row = 0; row < rows; row++) {
    const float *p = x + (size_t)row * rowStep;
    for (int column = 0; column < columns; column++, p += step, dy += outputs) {
      v128_t u = wasm_v128_load(dy), v = wasm_v128_load(dy + 4), s;
      s = wasm_v128_load32_splat(p); a0 = mul_add(a0, s, u); b0 = mul_add(b0, s, v);
      s = wasm_v128_load32_splat(p + 1); a1 = mul_add(a1, s, u); b1 = mul_add(b1, s, v);
      s = wasm_v128_load32_splat(p + 2); a2 = mul_add(a2, s, u); b2 = mul_add(b2, s, v);
      s = wasm_v128_load32_splat(p + 3); a3 = mul_add(a3, s, u); b3 = mul_add(b3, s, v);
    }
  }
  wasm_v128_store(w0, a0); wasm_v128_store(w0 + 4, b0); wasm_v128_store(w1, a1); wasm_v128_store(w1 + 4, b1);
  wasm_v128_store(w2, a2); wasm_v128_store(w2 + 4, b2); wasm_v128_store(w3, a3); wasm_v128_store(w3 + 4, b3);
}

// The same for a single row of the filter.
INLINE void gradient_row(const float *x, const float *dy, float *dw, int rows, int columns, int rowStep, int step,
                         int outputs) {
  v128_t a = wasm_v128_load(dw), b = wasm_v128_load(dw + 4);
  for (int row = 0; row < rows; row++) {
    const float *p = x + (size_t)row * rowStep;
    for (int column = 0; column < columns; column++, p += step, dy += outputs) {
      v128_t s = wasm_v128_load32_splat(p);
      a = mul_add(a, s, wasm_v128_load(dy));
      b = mul_add(b, s, wasm_v128_load(dy + 4));
    }
  }
  wasm_v128_store(dw, a);
  wasm_v128_store(dw + 4, b);
}

// And for outputs past the last multiple of 8.
INLINE void gradient_scalar(const float *x, const float *dy, float *dw, int rows, int columns, int rowStep, int step,
                            int outputs) {
  float sum = *dw;
  for (int row = 0; row < rows; row++) {
    const float *p = x + (size_t)row * rowStep;
    for (int column = 0; column < columns; column++, p += step, dy += outputs) sum += *p * *dy;
  }
  *dw = sum;
}

// dw [kernelRows, kernelColumns, channels, outputs] =
//   sum over positions of padded[n, i * rowStride + kh, j * columnStride + kw, :] x dy[n, i, j, :]
EXPORT void filter_gradient(const float *padded, const float *dy, float *dw, int batch, int paddedRows,
                            int paddedColumns, int channels, int kernelRows, int kernelColumns, int rowStride,
                            int columnStride, int rows, int columns, int outputs) {
  int run = kernelColumns * channels, inputRow = paddedColumns * channels;
  int rowStep = rowStride * inputRow, step = columnStride * channels;
  __builtin_memset(dw, 0, (size_t)kernelRows * run * outputs * sizeof(float));
  for (int n = 0; n < batch; n++) {
    const float *image = padded + (size_t)n * paddedRows * inputRow;
    const float *gradient = dy + (size_t)n * rows * columns * outputs;
    for (int kh = 0; kh < kernelRows; kh++) {
      const float *x = image + (size_t)kh * inputRow;
      float *w = dw + (size_t)kh * run * outputs;
      int o = 0;
      for (; o + 8 <= outputs; o += 8) {
        int r = 0;
        for (; r + 4 <= run; r += 4)
          gradient_block(x + r, gradient + o, w + (size_t)r * outputs + o, rows, columns, rowStep, step, outputs);
        for (; r < run; r++)
          gradient_row(x + r, gradient + o, w + (size_t)r * outputs + o, rows, columns, rowStep, step, outputs);
      }
      for (; o < outputs; o++)
        for (int r = 0; r < run; r++)
          gradient_scalar(x + r, gradient + o, w + (size_t)r * outputs + o, rows, columns, rowStep, step, outputs);
    }
  }
}
