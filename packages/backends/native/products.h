// Products of two matrices. TensorFlow's BatchMatMul hands even a small product to other threads, and its MatMul (2.21)
// keeps numbers on the stack where a signal, such as a profiler's, overwrites them. Part of multigrad.cc, which includes it.

#ifndef MULTIGRAD_PRODUCTS_H_
#define MULTIGRAD_PRODUCTS_H_

#include "kernel_call.h"
#include "small_maps.h"

namespace multigrad {

// A [rows, depth] times B [depth, columns], then a bias for each column and an activation. A transposed matrix is stored
// the other way round.
struct Product {
  size_t rows, depth, columns;
  bool transposeA, transposeB, relu;
  const float *a, *b, *bias;
  float *c;
};

// Products of many pairs of matrices, one after the other in memory. A step of 0 takes the same matrix each time.
struct Products {
  Product first;
  size_t count, stepA, stepB;

  Product At(size_t index) const {
    Product one = first;
    one.a += index * stepA;
    one.b += index * stepB;
    one.c += index * first.rows * first.columns;
    return one;
  }
};

// Rows that one task computes, and the part of the depth whose numbers of B stay in a near cache.
constexpr size_t kTaskRows = 96, kTaskDepth = 512;
// Products of fewer multiplications are over before another thread wakes up.
constexpr size_t kSharedProduct = 1 << 21;

// Writes B at [from, from + depth) x [at, at + width), row by row, with zeros beyond its last column.
template <size_t Width>
EACH_INLINE PackColumns(const Product &p, size_t from, size_t depth, size_t at, float *packed) {
  const size_t width = std::min(Width, p.columns - at);
  for (size_t d = 0; d < depth; ++d) {
    float *row = packed + d * Width;
    if (p.transposeB)
      for (size_t j = 0; j < width; ++j) row[j] = p.b[(at + j) * p.depth + from + d];
    else
      std::copy_n(p.b + (from + d) * p.columns + at, width, row);
    std::fill(row + width, row + Width, 0.0f);
  }
}

// R rows of the product from `row` on, at the columns that are packed.
template <size_t L, size_t R, size_t P>
EACH_INLINE ProductRows(const Product &p, size_t row, size_t from, size_t depth, size_t at, const float *packed) {
  typedef typename Vector<L>::Type V;
  const size_t next = p.transposeA ? p.rows : 1;
  const float *a[R];
  for (size_t r = 0; r < R; ++r) a[r] = p.transposeA ? p.a + from * p.rows + row + r : p.a + (row + r) * p.depth + from;
  V sums[R][P] = {};
  for (size_t d = 0; d < depth; ++d) {
    V factors[P];
    for (size_t k = 0; k < P; ++k) factors[k] = *reinterpret_cast<const V *>(packed + (d * P + k) * L);
    for (size_t r = 0; r < R; ++r) {
      const float x = a[r][d * next];
      for (size_t k = 0; k < P; ++k) sums[r][k] += factors[k] * x;
    }
  }
  const size_t width = std::min(L * P, p.columns - at);
  const bool complete = from + depth == p.depth;
  for (size_t r = 0; r < R; ++r) {
    float *sum = reinterpret_cast<float *>(sums[r]);
    float *c = p.c + (row + r) * p.columns + at;
    if (from > 0)
      for (size_t j = 0; j < width; ++j) sum[j] = c[j] + sum[j];
    if (complete && p.bias != nullptr)
      for (size_t j = 0; j < width; ++j) sum[j] += p.bias[at + j];
    if (complete && p.relu)
      for (size_t j = 0; j < width; ++j) sum[j] = sum[j] < 0 ? 0 : sum[j];
    for (size_t j = 0; j < width; ++j) c[j] = sum[j];
  }
}

// Tasks are blocks of rows, panel of columns by panel. Every number is added up in the same order, whoever does it.
template <size_t L, size_t P>
EACH_INLINE PanelTasks(const Products &all, size_t begin, size_t end) {
  const size_t total = all.first.depth, rows = all.first.rows;
  const size_t blocks = (rows + kTaskRows - 1) / kTaskRows, panels = (all.first.columns + L * P - 1) / (L * P);
  std::vector<float> packed(std::min(total, kTaskDepth) * L * P);
  for (size_t from = 0; from < total; from += kTaskDepth) {
    const size_t depth = std::min(kTaskDepth, total - from);
    for (size_t task = begin; task < end; ++task) {
      const Product p = all.At(task / (blocks * panels));
      const size_t at = task / blocks % panels * L * P, first = task % blocks * kTaskRows;
      if (task == begin || first == 0) PackColumns<L * P>(p, from, depth, at, packed.data());
      const size_t last = std::min(rows, first + kTaskRows);
      size_t row = first;
      for (; row + 6 <= last; row += 6) ProductRows<L, 6, P>(p, row, from, depth, at, packed.data());
      switch (last - row) {
        case 5: ProductRows<L, 5, P>(p, row, from, depth, at, packed.data()); break;
        case 4: ProductRows<L, 4, P>(p, row, from, depth, at, packed.data()); break;
        case 3: ProductRows<L, 3, P>(p, row, from, depth, at, packed.data()); break;
        case 2: ProductRows<L, 2, P>(p, row, from, depth, at, packed.data()); break;
        case 1: ProductRows<L, 1, P>(p, row, from, depth, at, packed.data()); break;
      }
    }
  }
}

// Panels of P vectors, or of one where that holds all columns.
template <size_t L, size_t P>
EACH_INLINE ProductTasks(const Products &all, size_t begin, size_t end) {
  if (all.first.columns <= L) PanelTasks<L, 1>(all, begin, end);
  else PanelTasks<L, P>(all, begin, end);
}

#if defined(__x86_64__)
WITH_AVX512 static void ProductTasks512(const Products &all, size_t begin, size_t end) { ProductTasks<16, 4>(all, begin, end); }
WITH_AVX2 static void ProductTasks256(const Products &all, size_t begin, size_t end) { ProductTasks<8, 2>(all, begin, end); }
#endif
static void ProductTasks128(const Products &all, size_t begin, size_t end) { ProductTasks<4, 2>(all, begin, end); }

// The loop for this processor's registers, and how many columns it takes at once.
struct ProductLoop {
  void (*run)(const Products &, size_t, size_t);
  size_t width;
};

static ProductLoop LoopOfProducts() {
#if defined(__x86_64__)
  if (kHas512) return {ProductTasks512, 64};
  if (HasSmallMaps()) return {ProductTasks256, 16};
#endif
  return {ProductTasks128, 8};
}

// Inputs: A, B, perhaps a bias. Numbers: rows, depth, columns, whether A and B are transposed, relu, count of products,
// whether A and B are as many.
static void MatrixProducts(Call &call) {
  Products all;
  Product &p = all.first;
  p = {call.Count(0), call.Count(1), call.Count(2), call.numbers[3] != 0, call.numbers[4] != 0, call.numbers[5] != 0};
  p.a = call.inputs[0].values;
  p.b = call.inputs[1].values;
  p.bias = call.inputs.size() > 2 ? call.inputs[2].values : nullptr;
  p.c = call.outputs[0].values;
  all.count = call.Count(6);
  all.stepA = call.numbers[7] != 0 ? p.rows * p.depth : 0;
  all.stepB = call.numbers[8] != 0 ? p.depth * p.columns : 0;
  static const ProductLoop loop = LoopOfProducts();
  const size_t blocks = (p.rows + kTaskRows - 1) / kTaskRows;
  const size_t tasks = all.count * blocks * ((p.columns + loop.width - 1) / loop.width);
  if (all.count * p.rows * p.depth * p.columns < kSharedProduct) return loop.run(all, 0, tasks);
  call.pool.Run(tasks, [&](size_t begin, size_t end) { loop.run(all, begin, end); });
}

}  // namespace multigrad

#endif  // MULTIGRAD_PRODUCTS_H_
