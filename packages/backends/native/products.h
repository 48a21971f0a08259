// Products of matrices in one pass with bias and ReLU, shared out between threads where that pays. TensorFlow's BatchMatMul
// hands even a small product to other threads, and its MatMul (2.21) broke the heap under a profiler. Part of multigrad.cc,
// which includes it.

#ifndef MULTIGRAD_PRODUCTS_H_
#define MULTIGRAD_PRODUCTS_H_

#include "dense_product.h"
#include "kernel_call.h"

namespace multigrad {

// `count` products A [rows, depth] times B [depth, columns], one after the other in memory, then a bias for each column and
// an activation. A transposed matrix is stored the other way round; a step of 0 takes the same matrix each time.
struct Products {
  size_t count, rows, depth, columns;
  bool transposeA, transposeB, relu;
  const float *a, *b, *bias;
  float *c;
  size_t stepA, stepB;
};

// Rows that one task computes, and the part of the depth whose numbers of B stay in a near cache.
constexpr size_t kTaskRows = 96, kTaskDepth = 512;
// Products of fewer multiplications are over before another thread wakes up.
constexpr size_t kSharedProduct = 1 << 21;

WIDE static void FinishRows(const Products &p, float *c, size_t rows, size_t at, size_t width) {
  for (size_t row = 0; row < rows; ++row, c += p.columns) {
    if (p.bias != nullptr)
      for (size_t j = 0; j < width; ++j) c[j] += p.bias[at + j];
    if (p.relu)
      for (size_t j = 0; j < width; ++j) c[j] = c[j] < 0 ? 0 : c[j];
  }
}

// Tasks are blocks of rows, panel of columns by panel, product by product. Every number is added up in the same order,
// whoever does it.
static void ProductTasks(const Products &p, size_t begin, size_t end) {
  const size_t blocks = (p.rows + kTaskRows - 1) / kTaskRows, panels = (p.columns + kColumns - 1) / kColumns;
  const Factor shape{nullptr, p.transposeA ? 1 : p.depth, p.transposeA ? p.rows : 1};
  const size_t rowB = p.transposeB ? 1 : p.columns, columnB = p.transposeB ? p.depth : 1;
  std::vector<float> panel(PanelSize(std::min(p.depth, kTaskDepth), kColumns));
  for (size_t from = 0; from < p.depth; from += kTaskDepth) {
    const size_t depth = std::min(kTaskDepth, p.depth - from);
    for (size_t task = begin; task < end; ++task) {
      const size_t product = task / (blocks * panels);
      const size_t at = task / blocks % panels * kColumns, width = std::min(kColumns, p.columns - at);
      const size_t first = task % blocks * kTaskRows, rows = std::min(kTaskRows, p.rows - first);
      if (task == begin || first == 0)
        PackPanels(p.b + product * p.stepB + from * rowB + at * columnB, rowB, columnB, depth, width, panel.data());
      float *c = p.c + (product * p.rows + first) * p.columns + at;
      if (from == 0)
        for (size_t row = 0; row < rows; ++row) std::fill_n(c + row * p.columns, width, 0.0f);
      const float *a = p.a + product * p.stepA + first * shape.row + from * shape.step;
      AddProduct({a, shape.row, shape.step}, panel.data(), c, p.columns, rows, width, depth);
      if (from + depth == p.depth) FinishRows(p, c, rows, at, width);
    }
  }
}

// Inputs: A, B, perhaps a bias. Numbers: rows, depth, columns, whether A and B are transposed, relu, count of products,
// whether A and B are as many.
static void MatrixProducts(Call &call) {
  Products p;
  p.rows = call.Count(0);
  p.depth = call.Count(1);
  p.columns = call.Count(2);
  p.transposeA = call.numbers[3] != 0;
  p.transposeB = call.numbers[4] != 0;
  p.relu = call.numbers[5] != 0;
  p.count = call.Count(6);
  p.stepA = call.numbers[7] != 0 ? p.rows * p.depth : 0;
  p.stepB = call.numbers[8] != 0 ? p.depth * p.columns : 0;
  p.a = call.inputs[0].values;
  p.b = call.inputs[1].values;
  p.bias = call.inputs.size() > 2 ? call.inputs[2].values : nullptr;
  p.c = call.outputs[0].values;
  const size_t blocks = (p.rows + kTaskRows - 1) / kTaskRows;
  const size_t tasks = p.count * blocks * ((p.columns + kColumns - 1) / kColumns);
  if (p.count * p.rows * p.depth * p.columns < kSharedProduct) return ProductTasks(p, 0, tasks);
  call.pool.Run(tasks, [&](size_t begin, size_t end) { ProductTasks(p, begin, end); });
}

}  // namespace multigrad

#endif  // MULTIGRAD_PRODUCTS_H_
