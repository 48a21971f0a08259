// Products of two matrices. TensorFlow's BatchMatMul hands even a small product to other threads, and its MatMul (2.21)
// keeps numbers on the stack where a signal, such as a profiler's, overwrites them. Part of multigrad.cc, which includes it.

#ifndef MULTIGRAD_PRODUCTS_H_
#define MULTIGRAD_PRODUCTS_H_

#include "kernel_call.h"
#include "small_maps.h"

namespace multigrad {

// A [rows, depth] times B [depth, columns]. A transposed matrix is stored the other way round.
struct Product {
  size_t rows, depth, columns;
  bool transposeA, transposeB;
  const float *a, *b;
  float *c;
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
  for (size_t r = 0; r < R; ++r) {
    const float *sum = reinterpret_cast<const float *>(sums[r]);
    float *c = p.c + (row + r) * p.columns + at;
    if (from == 0)
      for (size_t j = 0; j < width; ++j) c[j] = sum[j];
    else
      for (size_t j = 0; j < width; ++j) c[j] += sum[j];
  }
}

// Tasks are blocks of rows, panel of columns by panel. Every number is added up in the same order, whoever does it.
template <size_t L, size_t P>
EACH_INLINE PanelTasks(const Product &p, size_t begin, size_t end) {
  const size_t blocks = (p.rows + kTaskRows - 1) / kTaskRows;
  std::vector<float> packed(std::min(p.depth, kTaskDepth) * L * P);
  for (size_t from = 0; from < p.depth; from += kTaskDepth) {
    const size_t depth = std::min(kTaskDepth, p.depth - from);
    for (size_t task = begin; task < end; ++task) {
      const size_t at = task / blocks * L * P, first = task % blocks * kTaskRows;
      if (task == begin || first == 0) PackColumns<L * P>(p, from, depth, at, packed.data());
      const size_t last = std::min(p.rows, first + kTaskRows);
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
EACH_INLINE ProductTasks(const Product &p, size_t begin, size_t end) {
  if (p.columns <= L) PanelTasks<L, 1>(p, begin, end);
  else PanelTasks<L, P>(p, begin, end);
}

#if defined(__x86_64__)
WITH_AVX512 static void ProductTasks512(const Product &p, size_t begin, size_t end) { ProductTasks<16, 4>(p, begin, end); }
WITH_AVX2 static void ProductTasks256(const Product &p, size_t begin, size_t end) { ProductTasks<8, 2>(p, begin, end); }
#endif
static void ProductTasks128(const Product &p, size_t begin, size_t end) { ProductTasks<4, 2>(p, begin, end); }

// The loop for this processor's registers, and how many columns it takes at once.
struct ProductLoop {
  void (*run)(const Product &, size_t, size_t);
  size_t width;
};

static ProductLoop LoopOfProducts() {
#if defined(__x86_64__)
  if (kHas512) return {ProductTasks512, 64};
  if (HasSmallMaps()) return {ProductTasks256, 16};
#endif
  return {ProductTasks128, 8};
}

// Inputs: A, B. Numbers: rows, depth, columns, whether A and B are transposed.
static void MatMul(Call &call) {
  const Product product{call.Count(0),           call.Count(1),           call.Count(2),          call.numbers[3] != 0,
                        call.numbers[4] != 0,    call.inputs[0].values,   call.inputs[1].values,  call.outputs[0].values};
  static const ProductLoop loop = LoopOfProducts();
  const size_t blocks = (product.rows + kTaskRows - 1) / kTaskRows;
  const size_t tasks = blocks * ((product.columns + loop.width - 1) / loop.width);
  if (product.rows * product.depth * product.columns < kSharedProduct) return loop.run(product, 0, tasks);
  call.pool.Run(tasks, [&](size_t begin, size_t end) { loop.run(product, begin, end); });
}

}  // namespace multigrad

#endif  // MULTIGRAD_PRODUCTS_H_
