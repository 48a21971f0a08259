// Layer normalisation, row by row; sums in float64. Part of multigrad.cc, which includes it.

#ifndef MULTIGRAD_LAYER_NORM_H_
#define MULTIGRAD_LAYER_NORM_H_

#include <cmath>

#include "kernel_call.h"
#include "reductions.h"

namespace multigrad {

// Rows of so many numbers, split between the processors in blocks of a few.
static void EachRow(Pool &pool, size_t rows, size_t columns, const std::function<void(size_t)> &body) {
  const size_t block = std::max<size_t>(1, 2048 / std::max<size_t>(1, columns));
  pool.Run((rows + block - 1) / block, [&](size_t begin, size_t end) {
    for (size_t row = begin * block; row < std::min(rows, end * block); ++row) body(row);
  });
}

WIDE static double SumOfSquares(const float *x, double mean, size_t size) {
  double sums[16] = {0};
  size_t i = 0;
  for (; i + 16 <= size; i += 16)
    for (size_t k = 0; k < 16; ++k) sums[k] += (x[i + k] - mean) * (x[i + k] - mean);
  double sum = 0;
  for (; i < size; ++i) sum += (x[i] - mean) * (x[i] - mean);
  for (const double part : sums) sum += part;
  return sum;
}

WIDE static void NormaliseRow(const float *x, double mean, double inverse, const float *scale, const float *offset,
                              float *y, size_t size) {
  EACH_ALONE
  for (size_t c = 0; c < size; ++c) y[c] = static_cast<float>((x[c] - mean) * inverse * scale[c] + offset[c]);
}

// Inputs: x, scale, offset. Outputs: y, mean, inverse deviation. Number: epsilon.
static void LayerNorm(Call &call) {
  const size_t columns = call.inputs[1].size, rows = call.outputs[1].size;
  EachRow(call.pool, rows, columns, [&](size_t row) {
    const float *x = call.inputs[0].values + row * columns;
    const double count = static_cast<double>(columns), mean = SumOf(x, columns) / count;
    const double inverse = 1 / std::sqrt(SumOfSquares(x, mean, columns) / count + call.numbers[0]);
    NormaliseRow(x, mean, inverse, call.inputs[1].values, call.inputs[2].values, call.outputs[0].values + row * columns,
                 columns);
    call.outputs[1].values[row] = static_cast<float>(mean);
    call.outputs[2].values[row] = static_cast<float>(inverse);
  });
}

// Sums of one row's gradients: over its columns, and on top of those of each column.
struct RowSums {
  double plain, mixed;
};

WIDE static RowSums AddRowGradient(const float *dy, const float *x, const float *scale, double mean, double inverse,
                                   double *dScale, double *dOffset, size_t size) {
  double plain[16] = {0}, mixed[16] = {0};
  size_t i = 0;
  for (; i + 16 <= size; i += 16) {
    EACH_ALONE
    for (size_t k = 0; k < 16; ++k) {
      const double d = dy[i + k], standard = (x[i + k] - mean) * inverse, g = d * scale[i + k];
      dScale[i + k] += d * standard;
      dOffset[i + k] += d;
      plain[k] += g;
      mixed[k] += g * standard;
    }
  }
  RowSums sums{0, 0};
  for (; i < size; ++i) {
    const double d = dy[i], standard = (x[i] - mean) * inverse, g = d * scale[i];
    dScale[i] += d * standard;
    dOffset[i] += d;
    sums.plain += g;
    sums.mixed += g * standard;
  }
  for (size_t k = 0; k < 16; ++k) {
    sums.plain += plain[k];
    sums.mixed += mixed[k];
  }
  return sums;
}

WIDE static void RowGradient(const float *dy, const float *x, const float *scale, double mean, double inverse, double plain,
                             double mixed, float *dx, size_t size) {
  EACH_ALONE
  for (size_t c = 0; c < size; ++c) {
    const double standard = (x[c] - mean) * inverse, g = static_cast<double>(dy[c]) * scale[c];
    dx[c] = static_cast<float>(inverse * (g - plain - standard * mixed));
  }
}

// Inputs: dy, x, scale, mean, inverse deviation. Outputs: dx, dScale, dOffset.
static void LayerNormGrad(Call &call) {
  const View dy = call.inputs[0], x = call.inputs[1], scale = call.inputs[2];
  const size_t columns = scale.size, rows = call.inputs[3].size;
  // As many blocks whatever the number of processors, so that sums are the same everywhere.
  const size_t blocks = std::min<size_t>(rows, 32);
  std::vector<double> partial(2 * blocks * columns, 0.0);
  call.pool.Run(blocks, [&](size_t begin, size_t end) {
    for (size_t block = begin; block < end; ++block) {
      double *dScale = partial.data() + 2 * block * columns, *dOffset = dScale + columns;
      for (size_t row = rows * block / blocks; row < rows * (block + 1) / blocks; ++row) {
        const float *d = dy.values + row * columns, *values = x.values + row * columns;
        const double mean = call.inputs[3].values[row], inverse = call.inputs[4].values[row];
        const RowSums sums = AddRowGradient(d, values, scale.values, mean, inverse, dScale, dOffset, columns);
        const double count = static_cast<double>(columns);
        RowGradient(d, values, scale.values, mean, inverse, sums.plain / count, sums.mixed / count,
                    call.outputs[0].values + row * columns, columns);
      }
    }
  });
  for (size_t c = 0; c < columns; ++c) {
    double dScale = 0, dOffset = 0;
    for (size_t block = 0; block < blocks; ++block) {
      dScale += partial[2 * block * columns + c];
      dOffset += partial[(2 * block + 1) * columns + c];
    }
    call.outputs[1].values[c] = static_cast<float>(dScale);
    call.outputs[2].values[c] = static_cast<float>(dOffset);
  }
}

}  // namespace multigrad

#endif  // MULTIGRAD_LAYER_NORM_H_
