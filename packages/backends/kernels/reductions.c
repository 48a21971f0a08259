// Sums over leading or trailing axes, inner products of gradients, and their weighted combination.
#include "common.h"

// How many rows are added up in float32 before the sum is added to a float64 total: few additions have a small rounding
// error.
#define CHAIN 16

// out[c] = scale * sum over rows of x[row, c]; `totals` is scratch for `columns` doubles.
EXPORT void sum_leading(const float *x, float *out, double *totals, int rows, int columns, float scale) {
  for (int c = 0; c < columns; c++) totals[c] = 0;
  for (int first = 0; first < rows; first += CHAIN) {
    int last = min_int(rows, first + CHAIN), c = 0;
    for (; c + 4 <= columns; c += 4) {
      v128_t sum = zero4();
      for (int row = first; row < last; row++) sum = wasm_f32x4_add(sum, wasm_v128_load(x + (size_t)row * columns + c));
      float part[4];
      wasm_v128_store(part, sum);
      for (int k = 0; k < 4; k++) totals[c + k] += part[k];
    }
    for (; c < columns; c++) {
      for (int row = first; row < last; row++) totals[c] += x[(size_t)row * columns + c];
    }
  }
  for (int c = 0; c < columns; c++) out[c] = (float)(totals[c] * scale);
}

// out[row] = scale * sum over columns of x[row, c].
EXPORT void sum_trailing(const float *x, float *out, int rows, int columns, float scale) {
  for (int row = 0; row < rows; row++, x += columns) {
    double total = 0;
    for (int first = 0; first < columns; first += 4 * CHAIN) {
      int last = min_int(columns, first + 4 * CHAIN), c = first;
      v128_t sum = zero4();
      for (; c + 4 <= last; c += 4) sum = wasm_f32x4_add(sum, wasm_v128_load(x + c));
      float part[4];
      wasm_v128_store(part, sum);
      total += (double)part[0] + part[1] + part[2] + part[3];
      for (; c < last; c++) total += x[c];
    }
    out[row] = (float)(total * scale);
  }
}

static double dot(const float *a, const float *b, int size) {
  v128_t s0 = wasm_f64x2_const_splat(0), s1 = s0, s2 = s0, s3 = s0;
  int i = 0;
  for (; i + 8 <= size; i += 8) {
    v128_t u = wasm_v128_load(a + i), v = wasm_v128_load(b + i);
    v128_t p = wasm_v128_load(a + i + 4), q = wasm_v128_load(b + i + 4);
    s0 = wasm_f64x2_add(s0, wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(u), wasm_f64x2_promote_low_f32x4(v)));
    s2 = wasm_f64x2_add(s2, wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(p), wasm_f64x2_promote_low_f32x4(q)));
    u = wasm_i64x2_shuffle(u, u, 1, 0), v = wasm_i64x2_shuffle(v, v, 1, 0);
    p = wasm_i64x2_shuffle(p, p, 1, 0), q = wasm_i64x2_shuffle(q, q, 1, 0);
    s1 = wasm_f64x2_add(s1, wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(u), wasm_f64x2_promote_low_f32x4(v)));
    s3 = wasm_f64x2_add(s3, wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(p), wasm_f64x2_promote_low_f32x4(q)));
  }
  v128_t s = wasm_f64x2_add(wasm_f64x2_add(s0, s1), wasm_f64x2_add(s2, s3));
  double sum = wasm_f64x2_extract_lane(s, 0) + wasm_f64x2_extract_lane(s, 1);
  for (; i < size; i++) sum += (double)a[i] * b[i];
  return sum;
}

static float largest(const float *x, int size) {
  v128_t best = zero4();
  int i = 0;
  for (; i + 4 <= size; i += 4) best = wasm_f32x4_pmax(best, wasm_f32x4_abs(wasm_v128_load(x + i)));
  float part[4], most = 0;
  wasm_v128_store(part, best);
  for (int k = 0; k < 4; k++) most = part[k] > most ? part[k] : most;
  for (; i < size; i++) {
    float magnitude = __builtin_fabsf(x[i]);
    most = magnitude > most ? magnitude : most;
  }
  return most;
}

// How many elements of a row are multiplied with all rows while they are in the cache.
#define CHUNK 2048

// out: the rows' largest magnitudes, then for each pair i <= j the inner product divided by both magnitudes, as the sum of
// two float32. Products of float32 are exact in float64. `sums` is scratch for count * (count + 1) / 2 doubles.
EXPORT void gramian_of_rows(const float *const *rows, float *out, double *sums, int count, int size) {
  int pairs = count * (count + 1) / 2;
  for (int p = 0; p < pairs; p++) sums[p] = 0;
  for (int k = 0; k < count; k++) out[k] = 0;
  for (int first = 0; first < size; first += CHUNK) {
    int length = min_int(CHUNK, size - first);
    for (int i = 0, p = 0; i < count; i++) {
      float most = largest(rows[i] + first, length);
      if (most > out[i]) out[i] = most;
      for (int j = i; j < count; j++, p++) sums[p] += dot(rows[i] + first, rows[j] + first, length);
    }
  }
  float *target = out + count;
  for (int i = 0, p = 0; i < count; i++) {
    // The sum of squares of a finite float32 row is finite in float64. A sum that is not finite comes from the row itself.
    double square = sums[p];
    if (square - square != 0) out[i] = (float)square;
    p += count - i;
  }
  for (int i = 0, p = 0; i < count; i++)
    for (int j = i; j < count; j++, p++) {
      double value = out[i] == 0 || out[j] == 0 ? 0 : sums[p] / out[i] / out[j];
      float high = (float)value;
      *target++ = high;
      *target++ = (float)(value - high);
    }
}

// out[k]: 1 where all sizes[k] numbers of row k are finite, else 0.
EXPORT void finite_rows(const float *const *rows, const int *sizes, float *out, int count) {
  for (int k = 0; k < count; k++) {
    // The exponent of a number that is not finite has all bits set.
    v128_t most = zero4(), mask = wasm_i32x4_const_splat(0x7fffffff);
    int i = 0;
    for (; i + 4 <= sizes[k]; i += 4)
      most = wasm_i32x4_max(most, wasm_v128_and(mask, wasm_v128_load(rows[k] + i)));
    int finite = !wasm_v128_any_true(wasm_i32x4_ge(most, wasm_i32x4_const_splat(0x7f800000)));
    for (; i < sizes[k]; i++) finite = finite && rows[k][i] - rows[k][i] == 0;
    out[k] = finite ? 1 : 0;
  }
}

// out = sum_k weights[k] * rows[k].
EXPORT void combine_rows(const float *const *rows, const float *weights, float *out, int count, int size) {
  int i = 0;
  for (; i + 4 <= size; i += 4) {
    v128_t sum = wasm_f32x4_mul(wasm_f32x4_splat(weights[0]), wasm_v128_load(rows[0] + i));
    for (int k = 1; k < count; k++) sum = mul_add(sum, wasm_f32x4_splat(weights[k]), wasm_v128_load(rows[k] + i));
    wasm_v128_store(out + i, sum);
  }
  for (; i < size; i++) {
    float sum = weights[0] * rows[0][i];
    for (int k = 1; k < count; k++) sum += weights[k] * rows[k][i];
    out[i] = sum;
  }
}

// out[ids[i], :] += x[i, :]; negative ids are left out.
EXPORT void segment_sum(const float *x, const int *ids, float *out, int count, int width, int segments) {
  clear(out, (size_t)segments * width);
  for (int i = 0; i < count; i++, x += width) {
    if (ids[i] < 0 || ids[i] >= segments) continue;
    float *target = out + (size_t)ids[i] * width;
    for (int c = 0; c < width; c++) target[c] += x[c];
  }
}

// out[ids[i], :] += x[i, :] for int32, modulo 2^32; negative ids are left out.
EXPORT void segment_sum_integers(const unsigned *x, const int *ids, unsigned *out, int count, int width, int segments) {
  for (size_t i = 0; i < (size_t)segments * width; i++) out[i] = 0;
  for (int i = 0; i < count; i++, x += width) {
    if (ids[i] < 0 || ids[i] >= segments) continue;
    unsigned *target = out + (size_t)ids[i] * width;
    for (int c = 0; c < width; c++) target[c] += x[c];
  }
}
