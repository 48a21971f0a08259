// Sums over axes and over segments of rows. Part of multigrad.cc, which includes it.

#ifndef MULTIGRAD_REDUCTIONS_H_
#define MULTIGRAD_REDUCTIONS_H_

#include <string>

#include "kernel_call.h"

namespace multigrad {

WIDE static void AddUp(const float *x, size_t length, size_t lanes, double *sums) {
  for (size_t at = 0; at < length; at += lanes) {
    const size_t count = std::min(lanes, length - at);
    for (size_t k = 0; k < count; ++k) sums[k] += static_cast<double>(x[at + k]);
  }
}

// Numbers that one piece of a sum has at least; with fewer in all, other threads are left asleep.
constexpr size_t kSummed = 1 << 14;

// out[c] = scale * sum over rows of x[row, c], in float64. Blocks of rows are as many whatever the number of processors, so
// that sums are the same everywhere.
static void SumRows(Pool &pool, const View &x, size_t columns, double scale, float *out) {
  const size_t rows = x.size / columns;
  const size_t blocks = std::max<size_t>(1, std::min<size_t>({rows, 32, x.size / kSummed}));
  // A few columns are repeated, so that loops are long.
  const size_t lanes = columns * ((15 + columns) / columns);
  std::vector<double> sums(blocks * lanes, 0.0);
  pool.Run(blocks, [&](size_t begin, size_t end) {
    for (size_t block = begin; block < end; ++block) {
      const size_t first = rows * block / blocks * columns, last = rows * (block + 1) / blocks * columns;
      AddUp(x.values + first, last - first, lanes, sums.data() + block * lanes);
    }
  });
  for (size_t c = 0; c < columns; ++c) {
    double sum = 0;
    for (size_t at = c; at < blocks * lanes; at += columns) sum += sums[at];
    out[c] = static_cast<float>(sum * scale);
  }
}

WIDE static double SumOf(const float *x, size_t size) {
  double sums[16] = {0};
  size_t i = 0;
  for (; i + 16 <= size; i += 16)
    for (size_t k = 0; k < 16; ++k) sums[k] += static_cast<double>(x[i + k]);
  double sum = 0;
  for (; i < size; ++i) sum += static_cast<double>(x[i]);
  for (const double part : sums) sum += part;
  return sum;
}

// Input: x. Numbers: whether the leading axes are summed or the trailing ones, how many numbers are kept, a factor.
static void Sums(Call &call) {
  const View x = call.inputs[0];
  const size_t kept = call.Count(1);
  const double scale = call.numbers[2];
  float *out = call.outputs[0].values;
  if (call.numbers[0] != 0) return SumRows(call.pool, x, kept, scale, out);
  const size_t count = x.size / kept, block = std::max<size_t>(1, kSummed / count);
  call.pool.Run((kept + block - 1) / block, [&](size_t begin, size_t end) {
    for (size_t row = begin * block; row < std::min(kept, end * block); ++row)
      out[row] = static_cast<float>(SumOf(x.values + row * count, count) * scale);
  });
}

WIDE static void AddRow(const float *x, float *sum, size_t size) {
  EACH_ALONE
  for (size_t i = 0; i < size; ++i) sum[i] += x[i];
}

// Columns of a row that one task adds up.
constexpr size_t kSegmentColumns = 32;

// out[ids[i], :] += x[i, :], row after row; rows with negative ids are left out. Tasks share the columns, so that each sum is
// made in the same order. Inputs: x, ids (int32 in the same bits).
static void SegmentSum(Call &call) {
  const View x = call.inputs[0], out = call.outputs[0];
  const size_t rows = call.inputs[1].size, width = call.Count(0), segments = call.Count(1);
  const int32_t *ids = reinterpret_cast<const int32_t *>(call.inputs[1].values);
  for (size_t i = 0; i < rows; ++i) {
    if (ids[i] < 0 || static_cast<size_t>(ids[i]) < segments) continue;
    call.failure = "segment_ids[" + std::to_string(i) + "] = " + std::to_string(ids[i]) + " is out of range [0, " +
                   std::to_string(segments) + ")";
    return;
  }
  const auto columns = [&](size_t begin, size_t end) {
    const size_t at = begin * kSegmentColumns, length = std::min(width, end * kSegmentColumns) - at;
    for (size_t segment = 0; segment < segments; ++segment) std::fill_n(out.values + segment * width + at, length, 0.0f);
    for (size_t i = 0; i < rows; ++i)
      if (ids[i] >= 0) AddRow(x.values + i * width + at, out.values + static_cast<size_t>(ids[i]) * width + at, length);
  };
  const size_t tasks = (width + kSegmentColumns - 1) / kSegmentColumns;
  if (x.size + out.size < kSummed) return columns(0, tasks);
  call.pool.Run(tasks, columns);
}

}  // namespace multigrad

#endif  // MULTIGRAD_REDUCTIONS_H_
