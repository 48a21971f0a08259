// Direct convolution over a zero-padded input with packed filter panels.
//
// A panel holds 8 (or 4) output channels of every tap: [taps * inputs][width]. A block of output positions shares each
// load of the panel; the accumulators stay in registers through all taps. Where there are fewer than 4 output channels
// (input gradients of a first layer), lanes run along the taps instead, and no channel is padded.
#include "jobs.h"

// Where output positions lie and where their windows begin.
typedef struct {
  const float *input;   // padded, at the first window
  float *output;        // at the first position
  int batch, rows, columns;                     // output positions
  int rowStride, columnStride;                  // input rows and columns between neighbouring windows
  int inputRow, inputImage;                     // floats from one input row, image to the next
  int outputColumn, outputRow, outputImage;     // floats from one output column, row, image to the next
  int channels;                                 // input channels
  const float *panels;
  int taps, run;                                // rows of a window, floats of each
  int above, below;                             // rows of zeros end and begin there, counted from the first window
  int outputs;
  const float *bias;                            // one number for each output, or null
  int relu;                                     // whether negative results become zero
  int onTop;                                    // whether sums go on from what the output holds, in place of the bias
  int chunk;                                    // positions of one piece of work for one thread, at most CHUNK
} Geometry;

// Positions of one block; with 8 channels its accumulators and factors fit the 16 registers of SIMD.
#define ROWS 4
// The most positions of one piece of work for one thread. It is a multiple of all block sizes.
#define CHUNK 48
// How many positions have their windows packed at a time, and how many numbers of each window: together with a slice of a
// panel they fit the first-level cache.
#define GROUP 16
#define DEPTH 256

typedef struct {
  const float *window[CHUNK];
  float *target[CHUNK];
} Positions;

// The addresses of a block of positions. A block that reaches past the end repeats the last position, whose repetitions are
// not stored.
INLINE void locate(const Geometry *g, int first, int count, int padded, Positions *positions) {
  int image = first / (g->rows * g->columns);
  int rest = first - image * g->rows * g->columns;
  int row = rest / g->columns, column = rest - row * g->columns;
  for (int i = 0; i < padded; i++) {
    positions->window[i] = g->input + (size_t)image * g->inputImage + (size_t)row * g->rowStride * g->inputRow +
                           (size_t)column * g->columnStride * g->channels;
    positions->target[i] = g->output + (size_t)image * g->outputImage + (size_t)row * g->outputRow +
                           (size_t)column * g->outputColumn;
    if (i + 1 >= count) continue;
    if (++column == g->columns) {
      column = 0;
      if (++row == g->rows) row = 0, image++;
    }
  }
}

// Four vectors of four numbers become the columns of what they were.
INLINE void turn(v128_t x[4]) {
  v128_t ab = wasm_i32x4_shuffle(x[0], x[1], 0, 4, 1, 5), AB = wasm_i32x4_shuffle(x[0], x[1], 2, 6, 3, 7);
  v128_t cd = wasm_i32x4_shuffle(x[2], x[3], 0, 4, 1, 5), CD = wasm_i32x4_shuffle(x[2], x[3], 2, 6, 3, 7);
  x[0] = wasm_i64x2_shuffle(ab, cd, 0, 2);
  x[1] = wasm_i64x2_shuffle(ab, cd, 1, 3);
  x[2] = wasm_i64x2_shuffle(AB, CD, 0, 2);
  x[3] = wasm_i64x2_shuffle(AB, CD, 1, 3);
}

// Copies `depth` floats of ROWS windows, from number `from` on, side by side: [depth][ROWS].
INLINE void pack_windows(const Geometry *g, const float *const *window, int from, int depth, float *packed) {
  int tap = from / g->run, r = from - tap * g->run;
  // Windows of one column each that lie side by side: a factor of a product that is stored transposed.
  if (g->run == 1 && window[ROWS - 1] == window[0] + ROWS - 1) {
    const float *x = window[0] + (size_t)tap * g->inputRow;
    for (int d = 0; d < depth; d++, x += g->inputRow, packed += ROWS) wasm_v128_store(packed, wasm_v128_load(x));
    return;
  }
  while (depth > 0) {
    const float *x[ROWS];
    for (int i = 0; i < ROWS; i++) x[i] = window[i] + (size_t)tap * g->inputRow + r;
    int length = min_int(g->run - r, depth), d = 0;
    for (; d + 4 <= length; d += 4, packed += 4 * ROWS) {
      v128_t block[4];
      for (int i = 0; i < 4; i++) block[i] = wasm_v128_load(x[i] + d);
      turn(block);
      for (int i = 0; i < 4; i++) wasm_v128_store(packed + 4 * i, block[i]);
    }
    for (; d < length; d++, packed += ROWS)
      for (int i = 0; i < ROWS; i++) packed[i] = x[i][d];
    depth -= length;
    r = 0;
    tap++;
  }
}

// ROWS packed positions x `vectors` times 4 channels, on top of `sum`.
INLINE void wide_block(const float *packed, const float *panel, int depth, int vectors, v128_t sum[ROWS][2]) {
  for (int d = 0; d < depth; d++, packed += ROWS, panel += 4 * vectors) {
    v128_t w0 = wasm_v128_load(panel), w1 = w0;
    if (vectors == 2) w1 = wasm_v128_load(panel + 4);
    for (int i = 0; i < ROWS; i++) {
      v128_t s = wasm_v128_load32_splat(packed + i);
      sum[i][0] = mul_add(sum[i][0], s, w0);
      if (vectors == 2) sum[i][1] = mul_add(sum[i][1], s, w1);
    }
  }
}

// Channels of one panel: 8, or 4 at the end where that is enough.
INLINE int panel_width(int left) { return left > 4 ? 8 : 4; }

INLINE v128_t load_some(const float *source, int count) {
  if (count >= 4) return wasm_v128_load(source);
  float part[4] = {0, 0, 0, 0};
  for (int j = 0; j < count; j++) part[j] = source[j];
  return wasm_v128_load(part);
}

INLINE void store_some(float *target, v128_t values, int count) {
  if (count >= 4) {
    wasm_v128_store(target, values);
    return;
  }
  float part[4];
  wasm_v128_store(part, values);
  for (int j = 0; j < count; j++) target[j] = part[j];
}

_Static_assert(ROWS == 4, "a block of positions is one vector");

// Computes one slice of the depth for 2 * ROWS positions and a panel of 4 channels. Lanes run along the positions: a number
// of the panel serves 8 of them, as a number of a window serves 8 channels elsewhere.
INLINE void slim_slice(const Geometry *g, const float *packed, const float *panel, float *const *target, int valid,
                       int channel, int depth, int first, int last) {
  v128_t sum[2][4];
  int count = min_int(4, g->outputs - channel);
  const float *second = packed + (size_t)depth * ROWS;
  for (int half = 0; half < 2; half++) {
    for (int i = 0; i < 4; i++) {
      int at = half * ROWS + i;
      if (first) sum[half][i] = wasm_f32x4_splat(g->bias && i < count ? g->bias[channel + i] : 0);
      else sum[half][i] = at < valid ? load_some(target[at] + channel, count) : zero4();
    }
    if (!first) turn(sum[half]);
  }
  for (int d = 0; d < depth; d++, packed += ROWS, second += ROWS, panel += 4) {
    v128_t u = wasm_v128_load(packed), v = wasm_v128_load(second);
    for (int c = 0; c < 4; c++) {
      v128_t w = wasm_v128_load32_splat(panel + c);
      sum[0][c] = mul_add(sum[0][c], u, w);
      sum[1][c] = mul_add(sum[1][c], v, w);
    }
  }
  for (int half = 0; half < 2; half++) {
    turn(sum[half]);
    for (int i = 0; i < 4 && half * ROWS + i < valid; i++) {
      v128_t value = last && g->relu ? wasm_f32x4_max(sum[half][i], zero4()) : sum[half][i];
      store_some(target[half * ROWS + i] + channel, value, count);
    }
  }
}

// Computes one slice of the depth for ROWS positions and one panel. The first slice starts from the bias; the last applies
// the ReLU.
INLINE void wide_slice(const Geometry *g, const float *packed, const float *panel, float *const *target, int valid,
                       int channel, int depth, int first, int last, int vectors) {
  v128_t sum[ROWS][2];
  for (int v = 0; v < vectors; v++) {
    int at = channel + 4 * v, count = g->outputs - at;
    v128_t start = first && g->bias ? load_some(g->bias + at, count) : zero4();
    for (int i = 0; i < ROWS; i++) sum[i][v] = first ? start : load_some(target[i] + at, count);
  }
  wide_block(packed, panel, depth, vectors, sum);
  for (int v = 0; v < vectors; v++) {
    int at = channel + 4 * v, count = g->outputs - at;
    for (int i = 0; i < ROWS; i++) {
      if (i >= valid) continue;
      v128_t value = last && g->relu ? wasm_f32x4_max(sum[i][v], zero4()) : sum[i][v];
      store_some(target[i] + at, value, count);
    }
  }
}

// The numbers of a window, from `lowest` to `highest`, that are not rows of zeros above or below the image for all positions
// first .. last.
INLINE void taps_of(const Geometry *g, int first, int last, int *lowest, int *highest) {
  int size = g->rows * g->columns, image = first / size, begin = 0, end = g->taps;
  if (last / size == image) {
    int row = (first - image * size) / g->columns * g->rowStride;
    int lastRow = (last - image * size) / g->columns * g->rowStride;
    begin = max_int(0, g->above - lastRow);
    end = min_int(g->taps, g->below - row);
    // Where there is nothing else, zeros have to be multiplied.
    if (begin >= end) begin = 0, end = 1;
  }
  *lowest = begin * g->run;
  *highest = end * g->run;
}

static void wide_piece(const void *arguments, int index, Thread *self) {
  const Geometry *g = arguments;
  Positions positions;
  float packed[GROUP * DEPTH];
  int total = g->batch * g->rows * g->columns, start = index * g->chunk, count = min_int(g->chunk, total - start);
  int whole = g->taps * g->run;
  locate(g, start, count, (count + ROWS - 1) / ROWS * ROWS, &positions);
  for (int begin = 0; begin < count; begin += GROUP) {
    int end = min_int(count, begin + GROUP), lowest, highest;
    taps_of(g, start + begin, start + end - 1, &lowest, &highest);
    for (int from = lowest; from < highest; from += DEPTH) {
      alive(self);
      int depth = min_int(DEPTH, highest - from), first = from == lowest && !g->onTop, last = from + depth == highest;
      for (int i = begin; i < end; i += ROWS)
        pack_windows(g, positions.window + i, from, depth, packed + (size_t)(i - begin) * depth);
      const float *panel = g->panels;
      for (int channel = 0; channel < g->outputs;) {
        int left = g->outputs - channel, width = panel_width(left);
        const float *slice = panel + (size_t)from * width;
        for (int i = begin; i < end;) {
          const float *own = packed + (size_t)(i - begin) * depth;
          float *const *target = positions.target + i;
          int valid = end - i;
          if (width == 8) {
            wide_slice(g, own, slice, target, valid, channel, depth, first, last, 2);
            i += ROWS;
          } else if (valid > ROWS) {
            slim_slice(g, own, slice, target, valid, channel, depth, first, last);
            i += 2 * ROWS;
          } else {
            wide_slice(g, own, slice, target, valid, channel, depth, first, last, 1);
            i += ROWS;
          }
        }
        panel += (size_t)whole * width;
        channel += width;
      }
    }
  }
}

// Computes `many` positions and `outputs` channels, with SIMD lanes along the taps and many * outputs accumulators.
INLINE void narrow_block(const Geometry *g, const float *const *window, float *const *target, int valid, int many,
                         int outputs) {
  v128_t sum[9];
  float rest[9];
  for (int i = 0; i < many * outputs; i++) sum[i] = zero4(), rest[i] = 0;
  int depth = g->taps * g->run;
  for (int tap = 0; tap < g->taps; tap++) {
    const float *weights = g->panels + (size_t)tap * g->run;
    size_t row = (size_t)tap * g->inputRow;
    int r = 0;
    for (; r + 4 <= g->run; r += 4) {
      v128_t w[3];
      for (int c = 0; c < outputs; c++) w[c] = wasm_v128_load(weights + (size_t)c * depth + r);
      for (int i = 0; i < many; i++) {
        v128_t x = wasm_v128_load(window[i] + row + r);
        for (int c = 0; c < outputs; c++) sum[i * outputs + c] = mul_add(sum[i * outputs + c], x, w[c]);
      }
    }
    for (; r < g->run; r++)
      for (int i = 0; i < many; i++)
        for (int c = 0; c < outputs; c++) rest[i * outputs + c] += window[i][row + r] * weights[(size_t)c * depth + r];
  }
  for (int i = 0; i < valid; i++)
    for (int c = 0; c < outputs; c++) {
      float part[4];
      wasm_v128_store(part, sum[i * outputs + c]);
      float value = (part[0] + part[1]) + (part[2] + part[3]) + rest[i * outputs + c] + (g->bias ? g->bias[c] : 0);
      target[i][c] = g->relu && value < 0 ? 0 : value;
    }
}

static void narrow_piece(const void *arguments, int index, Thread *self) {
  const Geometry *g = arguments;
  Positions positions;
  int total = g->batch * g->rows * g->columns, first = index * CHUNK, count = min_int(CHUNK, total - first);
  // Windows past the end repeat the last one, so that whole blocks are computed.
  locate(g, first, count, CHUNK, &positions);
  int many = g->outputs == 1 ? 8 : g->outputs == 2 ? 4 : 3;
  for (int i = 0; i < count; i += many) {
    alive(self);
    int valid = min_int(many, count - i);
    const float *const *window = positions.window + i;
    float *const *target = positions.target + i;
    if (g->outputs == 1) narrow_block(g, window, target, valid, 8, 1);
    else if (g->outputs == 2) narrow_block(g, window, target, valid, 4, 2);
    else narrow_block(g, window, target, valid, 3, 3);
  }
}

// Whether there are so few output channels that SIMD lanes run along the taps. Filters are then packed channel by channel.
INLINE int is_narrow(int outputs) { return outputs < 4; }

static void convolve(Job *job, const Geometry *g) {
  int total = g->batch * g->rows * g->columns, narrow = is_narrow(g->outputs), chunk = narrow ? CHUNK : g->chunk;
  PARALLEL(job, narrow ? narrow_piece : wide_piece, *g, (total + chunk - 1) / chunk);
}

// out[n, outRow + i * outRowStep, outColumn + j * outColumnStep, :] =
//   sum over taps of padded[n, row + i * rowStride + kh, column + j * columnStride + kw, :] . filter[kh, kw, :, :]
// for i < rows, j < columns. `padded` is [batch, paddedRows, paddedColumns, channels], `out` [batch, outRows, outColumns, outputs].
// `bias` may be null; with `relu` negative results become zero. `padded` has `zerosAbove` rows of zeros, then `imageRows` rows
// of the image, then zeros: whole rows of zeros are not multiplied.
EXPORT void convolution(Job *job, const float *padded, const float *panels, float *out, int batch, int paddedRows,
                        int paddedColumns, int channels, int kernelRows, int kernelColumns, int rowStride,
                        int columnStride, int row, int column, int rows, int columns, int outputs, int outRows,
                        int outColumns, int outRow, int outColumn, int outRowStep, int outColumnStep,
                        const float *bias, int relu, int zerosAbove, int imageRows) {
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
  g.panels = panels;
  g.taps = kernelRows;
  g.above = zerosAbove - row;
  g.below = zerosAbove + imageRows - row;
  g.run = kernelColumns * channels;
  g.outputs = outputs;
  g.bias = bias;
  g.relu = relu;
  g.onTop = 0;
  g.chunk = CHUNK;
  convolve(job, &g);
}

// out[m, n] = bias[n] + sum_k a[m, k] * b[k, n], with b in panels. The rows of a are `row` floats apart; with `transposed` it
// is stored as [k, m]. `bias` may be null; with `relu` negative results become zero; with `onTop` sums go on from what `out`
// holds, in place of the bias. Pieces are small, since a batch has few rows.
EXPORT void product(Job *job, const float *a, const float *panels, float *out, int m, int n, int k, int row,
                    int transposed, const float *bias, int relu, int onTop) {
  Geometry g;
  g.input = a;
  g.output = out;
  g.batch = 1;
  g.rows = 1;
  g.columns = m;
  g.rowStride = 1;
  g.columnStride = 1;
  g.inputRow = transposed ? row : 0;
  g.inputImage = 0;
  g.outputColumn = n;
  g.outputRow = 0;
  g.outputImage = 0;
  g.channels = transposed ? 1 : row;
  g.panels = panels;
  g.taps = transposed ? k : 1;
  g.above = 0;
  g.below = g.taps;
  g.run = transposed ? 1 : k;
  g.outputs = n;
  g.bias = bias;
  g.relu = relu;
  g.onTop = onTop;
  g.chunk = GROUP;
  convolve(job, &g);
}

// Packs a filter [kernelRows, kernelColumns, channels, outputs] into panels.
EXPORT void pack_filter(const float *filter, float *panels, int kernelRows, int kernelColumns, int channels,
                        int outputs) {
  int depth = kernelRows * kernelColumns * channels;
  if (is_narrow(outputs)) {
    for (int channel = 0; channel < outputs; channel++)
      for (int d = 0; d < depth; d++) *panels++ = filter[(size_t)d * outputs + channel];
    return;
  }
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
    int left = channels - channel, width = is_narrow(channels) ? 1 : panel_width(left);
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

typedef struct {
  const float *b;
  float *panels;
  int k, n, row, transposed;
} Packing;

// Panels of one piece of packing.
#define PACKED_PANELS 8

static void pack_piece(const void *arguments, int index, Thread *self) {
  const Packing *p = arguments;
  int k = p->k, n = p->n, row = p->row, step = is_narrow(n) ? 1 : 8;
  int first = index * PACKED_PANELS * step, end = min_int(n, first + PACKED_PANELS * step);
  // A panel is 8 columns wide, and only the last one may be narrower.
  float *panels = p->panels + (size_t)k * first;
  for (int column = first; column < end;) {
    alive(self);
    int left = n - column, width = is_narrow(n) ? 1 : panel_width(left), whole = left >= width;
    if (p->transposed) {
      const float *b = p->b + (size_t)column * row;
      for (int d = 0; d < k; d++, panels += width)
        for (int j = 0; j < width; j++) panels[j] = j < left ? b[(size_t)j * row + d] : 0;
    } else if (whole && width == 8) {
      const float *b = p->b + column;
      for (int d = 0; d < k; d++, b += row, panels += 8) {
        wasm_v128_store(panels, wasm_v128_load(b));
        wasm_v128_store(panels + 4, wasm_v128_load(b + 4));
      }
    } else {
      const float *b = p->b + column;
      for (int d = 0; d < k; d++, b += row, panels += width)
        for (int j = 0; j < width; j++) panels[j] = j < left ? b[j] : 0;
    }
    column += width;
  }
}

// Packs b [k, n] (or its transpose, stored [n, k]) into panels. What is stored has rows `row` floats apart.
EXPORT void pack_matrix(Job *job, const float *b, float *panels, int k, int n, int row, int transposed) {
  Packing p = {b, panels, k, n, row, transposed};
  int columns = PACKED_PANELS * (is_narrow(n) ? 1 : 8);
  PARALLEL(job, pack_piece, p, (n + columns - 1) / columns);
}

// out [columns, rows] = transpose of x [rows, columns], in blocks that fit the cache.
EXPORT void transpose(const float *x, float *out, int rows, int columns) {
  for (int i0 = 0; i0 < rows; i0 += 16)
    for (int j0 = 0; j0 < columns; j0 += 16)
      for (int j = j0; j < min_int(j0 + 16, columns); j++)
        for (int i = i0; i < min_int(i0 + 16, rows); i++) out[(size_t)j * rows + i] = x[(size_t)i * columns + j];
}

typedef struct {
  const float *x;
  float *padded;
  int rows, columns, channels, paddedRows, paddedColumns, top, left;
} Padding;

static void pad_image(const void *arguments, int n, Thread *self) {
  const Padding *p = arguments;
  int begin = max_int(0, -p->left), end = min_int(p->columns, p->paddedColumns - p->left);
  size_t rowSize = (size_t)p->paddedColumns * p->channels;
  float *padded = p->padded + (size_t)n * p->paddedRows * rowSize;
  for (int y = 0; y < p->paddedRows; y++, padded += rowSize) {
    alive(self);
    int row = y - p->top;
    if (row < 0 || row >= p->rows || end <= begin) {
      clear(padded, rowSize);
      continue;
    }
    size_t before = (size_t)(begin + p->left) * p->channels, inside = (size_t)(end - begin) * p->channels;
    clear(padded, before);
    copy(padded + before, p->x + (((size_t)n * p->rows + row) * p->columns + begin) * p->channels, inside);
    clear(padded + before + inside, rowSize - before - inside);
  }
}

// Copies x [batch, rows, columns, channels] into the middle of zeros [batch, paddedRows, paddedColumns, channels].
// Negative offsets crop.
EXPORT void pad(Job *job, const float *x, float *padded, int batch, int rows, int columns, int channels,
                int paddedRows, int paddedColumns, int top, int left) {
  Padding p = {x, padded, rows, columns, channels, paddedRows, paddedColumns, top, left};
  PARALLEL(job, pad_image, p, batch);
}

// The arguments of the filter gradient.
typedef struct {
  const float *padded, *dy;
  float *dw;
  int batch, run, inputRow, inputImage, rowStep, step, rows, columns, outputs;
} Gradient;

// Rows of the filter in one block: as many as keep multiply-adds of 8 outputs, or of 4, independent of each other.
#define FILTER_ROWS 4
#define MOST_FILTER_ROWS 8

// One block over one image: `many` rows of the filter x 8 outputs in registers, as 4 outputs and 4 more from `second` on.
// With 5 to 7 outputs the two vectors overlap, and both compute the same there.
INLINE void gradient_block(const Gradient *g, const float *x, const float *dy, float *dw, int many, int second) {
  v128_t a[FILTER_ROWS], b[FILTER_ROWS];
  for (int i = 0; i < many; i++) {
    a[i] = wasm_v128_load(dw + (size_t)i * g->outputs);
    b[i] = wasm_v128_load(dw + (size_t)i * g->outputs + second);
  }
  int outputs = g->outputs, step = g->step, columns = g->columns;
  for (int row = 0; row < g->rows; row++) {
    const float *p = x + (size_t)row * g->rowStep;
    for (int column = 0; column < columns; column++, p += step, dy += outputs) {
      v128_t u = wasm_v128_load(dy), v = wasm_v128_load(dy + second);
      for (int i = 0; i < many; i++) {
        v128_t s = wasm_v128_load32_splat(p + i);
        a[i] = mul_add(a[i], s, u);
        b[i] = mul_add(b[i], s, v);
      }
    }
  }
  for (int i = 0; i < many; i++) {
    wasm_v128_store(dw + (size_t)i * outputs, a[i]);
    wasm_v128_store(dw + (size_t)i * outputs + second, b[i]);
  }
}

// One block over one image: `many` rows of the filter x the last `left` <= 4 of at least 4 outputs. The other lanes belong to
// another piece, and are left alone.
INLINE void gradient_few(const Gradient *g, const float *x, const float *dy, float *dw, int many, int left) {
  v128_t a[MOST_FILTER_ROWS];
  for (int i = 0; i < many; i++) a[i] = zero4();
  int outputs = g->outputs, step = g->step, columns = g->columns;
  dy += left - 4;
  for (int row = 0; row < g->rows; row++) {
    const float *p = x + (size_t)row * g->rowStep;
    for (int column = 0; column < columns; column++, p += step, dy += outputs) {
      v128_t u = wasm_v128_load(dy);
      for (int i = 0; i < many; i++) a[i] = mul_add(a[i], wasm_v128_load32_splat(p + i), u);
    }
  }
  for (int i = 0; i < many; i++) {
    float part[4];
    wasm_v128_store(part, a[i]);
    for (int j = 0; j < left; j++) dw[(size_t)i * outputs + j] += part[4 - left + j];
  }
}

// One output, for filters with fewer than 4 of them.
INLINE void gradient_scalar(const Gradient *g, const float *x, const float *dy, float *dw) {
  float sum = *dw;
  for (int row = 0; row < g->rows; row++) {
    const float *p = x + (size_t)row * g->rowStep;
    for (int column = 0; column < g->columns; column++, p += g->step, dy += g->outputs) sum += *p * *dy;
  }
  *dw = sum;
}

// The gradient of 8 outputs (or those left) in one row of the filter, over the whole batch.
static void gradient_piece(const void *arguments, int index, Thread *self) {
  const Gradient *g = arguments;
  int panels = (g->outputs + 7) / 8, kh = index / panels, o = (index - kh * panels) * 8;
  int left = min_int(8, g->outputs - o), most = left > 4 ? FILTER_ROWS : MOST_FILTER_ROWS;
  int blocks = (g->run + most - 1) / most, many = (g->run + blocks - 1) / blocks;
  float *dw = g->dw + (size_t)kh * g->run * g->outputs + o;
  for (int r = 0; r < g->run; r++) clear(dw + (size_t)r * g->outputs, left);
  for (int n = 0; n < g->batch; n++) {
    alive(self);
    const float *x = g->padded + (size_t)n * g->inputImage + (size_t)kh * g->inputRow;
    const float *dy = g->dy + (size_t)n * g->rows * g->columns * g->outputs + o;
    if (g->outputs < 4) {
      for (int j = 0; j < left; j++)
        for (int r = 0; r < g->run; r++) gradient_scalar(g, x + r, dy + j, dw + (size_t)r * g->outputs + j);
      continue;
    }
    for (int r = 0; r < g->run; r += many) {
      float *target = dw + (size_t)r * g->outputs;
      int rows = min_int(many, g->run - r);
      if (left > 4) {
        switch (rows) {
          case 4: gradient_block(g, x + r, dy, target, 4, left - 4); break;
          case 3: gradient_block(g, x + r, dy, target, 3, left - 4); break;
          case 2: gradient_block(g, x + r, dy, target, 2, left - 4); break;
          default: gradient_block(g, x + r, dy, target, 1, left - 4);
        }
        continue;
      }
      switch (rows) {
        case 8: gradient_few(g, x + r, dy, target, 8, left); break;
        case 7: gradient_few(g, x + r, dy, target, 7, left); break;
        case 6: gradient_few(g, x + r, dy, target, 6, left); break;
        case 5: gradient_few(g, x + r, dy, target, 5, left); break;
        case 4: gradient_few(g, x + r, dy, target, 4, left); break;
        case 3: gradient_few(g, x + r, dy, target, 3, left); break;
        case 2: gradient_few(g, x + r, dy, target, 2, left); break;
        default: gradient_few(g, x + r, dy, target, 1, left);
      }
    }
  }
}

// dw [kernelRows, kernelColumns, channels, outputs] =
//   sum over positions of padded[n, i * rowStride + kh, j * columnStride + kw, :] x dy[n, i, j, :]
EXPORT void filter_gradient(Job *job, const float *padded, const float *dy, float *dw, int batch, int paddedRows,
                            int paddedColumns, int channels, int kernelRows, int kernelColumns, int rowStride,
                            int columnStride, int rows, int columns, int outputs) {
  int inputRow = paddedColumns * channels;
  Gradient g = {padded, dy, dw, batch, kernelColumns * channels, inputRow, paddedRows * inputRow,
                rowStride * inputRow, columnStride * channels, rows, columns, outputs};
  PARALLEL(job, gradient_piece, g, kernelRows * ((outputs + 7) / 8));
}
