// Inner products of gradients g_k = transpose(left) * right_k that are not computed themselves: with left [batch, inputs] and
// right_k [batch, outputs] of a dense layer,
//   <g_i, g_j> = sum over samples b, c of <left_b, left_c> * <right_ib, right_jc>.
// All sums are float64: where the gradients of samples cancel, float32 would lose what is left.
#include "jobs.h"

// Samples of one piece of work; a multiple of both sides of a block.
#define SAMPLES 8
// A block of inner products that is computed in registers.
#define DOWN 2
#define ACROSS 4

typedef struct {
  const float *left;
  const float *const *rights;  // right_k for each k, each [batch, outputs]
  double *sums;                // for each piece: the inner products, pair by pair, then sum over b of |left_b| |right_kb|
  int batch, inputs, outputs, count;
} Products;

INLINE v128_t pair_of(const float *x) { return wasm_f64x2_promote_low_f32x4(wasm_v128_load64_zero(x)); }

INLINE v128_t add_product(v128_t sum, v128_t x, v128_t y) {
#ifdef __wasm_relaxed_simd__
  return __builtin_wasm_relaxed_madd_f64x2(x, y, sum);
#else
  return wasm_f64x2_add(sum, wasm_f64x2_mul(x, y));
#endif
}

// out[r * ACROSS + c] = <row_r of x, row_c of y>. Rows beyond `rowsX` and `rowsY` repeat the last one.
static void block_of(const float *x, int rowsX, const float *y, int rowsY, int size, double *out) {
  const float *a[DOWN], *b[ACROSS];
  v128_t sums[DOWN][ACROSS];
  for (int r = 0; r < DOWN; r++) a[r] = x + (size_t)min_int(r, rowsX - 1) * size;
  for (int c = 0; c < ACROSS; c++) b[c] = y + (size_t)min_int(c, rowsY - 1) * size;
  for (int r = 0; r < DOWN; r++)
    for (int c = 0; c < ACROSS; c++) sums[r][c] = wasm_f64x2_const_splat(0);
  int i = 0;
  for (; i + 2 <= size; i += 2) {
    v128_t u = pair_of(a[0] + i), v = pair_of(a[1] + i);
    for (int c = 0; c < ACROSS; c++) {
      v128_t w = pair_of(b[c] + i);
      sums[0][c] = add_product(sums[0][c], u, w);
      sums[1][c] = add_product(sums[1][c], v, w);
    }
  }
  for (int r = 0; r < DOWN; r++)
    for (int c = 0; c < ACROSS; c++) {
      double sum = wasm_f64x2_extract_lane(sums[r][c], 0) + wasm_f64x2_extract_lane(sums[r][c], 1);
      for (int k = i; k < size; k++) sum += (double)a[r][k] * b[c][k];
      out[r * ACROSS + c] = sum;
    }
}

// A block of samples b with a block of samples c >= b. Products of two different samples count for (b, c) and for (c, b).
static void add_block(const Products *p, int b, int c, int last, double *sums, double *lengths) {
  double inputs[DOWN * ACROSS], outputs[DOWN * ACROSS];
  int rows = min_int(DOWN, last - b), columns = min_int(ACROSS, p->batch - c), within = c < last;
  block_of(p->left + (size_t)b * p->inputs, rows, p->left + (size_t)c * p->inputs, columns, p->inputs, inputs);
  for (int i = 0; i < p->count; i++)
    for (int j = within ? i : 0; j < p->count; j++) {
      const float *x = p->rights[i] + (size_t)b * p->outputs, *y = p->rights[j] + (size_t)c * p->outputs;
      block_of(x, rows, y, columns, p->outputs, outputs);
      double sum = 0;
      for (int r = 0; r < rows; r++)
        for (int s = 0; s < columns; s++) {
          double product = inputs[r * ACROSS + s] * outputs[r * ACROSS + s];
          sum += product;
          if (i == j && b + r == c + s) lengths[i] += __builtin_sqrt(product > 0 ? product : 0);
        }
      int low = min_int(i, j), high = max_int(i, j);
      sums[low * p->count - low * (low - 1) / 2 + high - low] += within || i != j ? sum : 2 * sum;
    }
}

static void products_piece(const void *arguments, int index, Thread *self) {
  const Products *p = arguments;
  int pairs = p->count * (p->count + 1) / 2;
  double *sums = p->sums + (size_t)index * (pairs + p->count), *lengths = sums + pairs;
  int first = index * SAMPLES, last = min_int(p->batch, first + SAMPLES);
  for (int k = 0; k < pairs + p->count; k++) sums[k] = 0;
  for (int c = first; c < p->batch; c += ACROSS) {
    for (int b = first; b < last; b += DOWN) add_block(p, b, c, last, sums, lengths);
    alive(self);
  }
}

// out: lengths m_k of the gradients, then for each pair i <= j the inner product divided by m_i m_j, as the sum of two
// float32, then the largest ratio of (sum over samples of the lengths of their gradients)^2 to m_k^2. `sums` is scratch for
// count * (count + 3) / 2 doubles for each 8 samples.
EXPORT void gramian_of_products(Job *job, const float *left, const float *const *rights, float *out, double *sums, int batch,
                                int inputs, int outputs, int count) {
  Products products = {left, rights, sums, batch, inputs, outputs, count};
  int pieces = (batch + SAMPLES - 1) / SAMPLES, pairs = count * (count + 1) / 2;
  PARALLEL(job, products_piece, products, pieces);
  for (int index = 1; index < pieces; index++)
    for (int k = 0; k < pairs + count; k++) sums[k] += sums[(size_t)index * (pairs + count) + k];
  double cancellation = 0;
  for (int k = 0, p = 0; k < count; p += count - k, k++) {
    double square = sums[p], length = sums[pairs + k];
    // Rounding may leave a little below zero.
    out[k] = square < 0 ? 0 : (float)__builtin_sqrt(square);
    double ratio = length * length / square;
    if (length != 0 && !(ratio <= cancellation)) cancellation = ratio < 0 ? 1 / 0.0 : ratio;
  }
  float *target = out + count;
  for (int i = 0, p = 0; i < count; i++)
    for (int j = i; j < count; j++, p++) {
      double value = out[i] == 0 || out[j] == 0 ? 0 : sums[p] / out[i] / out[j];
      float high = (float)value;
      *target++ = high;
      *target++ = (float)(value - high);
    }
  *target = (float)cancellation;
}
