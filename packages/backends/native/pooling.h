// The gradient of max-pooling. Part of multigrad.cc, which includes it.

#ifndef MULTIGRAD_POOLING_H_
#define MULTIGRAD_POOLING_H_

#include <limits>

#include "kernel_call.h"

namespace multigrad {

// The part of a window that is within the image.
struct Taps {
  size_t top, bottom, left, right;
};

template <size_t L>
struct Lane {
  typedef float Floats __attribute__((vector_size(4 * L)));
  typedef int Ints __attribute__((vector_size(4 * L)));
};

// One window for L channels: their first maximum, row by row, takes the gradient.
template <size_t L>
static inline __attribute__((always_inline)) void PoolWindow(const Taps &taps, size_t rowLength, size_t channels,
                                                             const float *x, const float *dy, float *dx) {
  typedef typename Lane<L>::Floats Floats;
  typedef typename Lane<L>::Ints Ints;
  Floats best = Floats{} - std::numeric_limits<float>::infinity(), gradient;
  Ints winner = Ints{} - 1;
  std::memcpy(&gradient, dy, sizeof(gradient));
  int tap = 0;
  for (size_t h = taps.top; h < taps.bottom; ++h) {
    for (size_t v = taps.left; v < taps.right; ++v, ++tap) {
      Floats values;
      std::memcpy(&values, x + h * rowLength + v * channels, sizeof(values));
      const Ints larger = values > best;
      best = larger ? values : best;
      winner = larger ? Ints{} + tap : winner;
    }
  }
  tap = 0;
  for (size_t h = taps.top; h < taps.bottom; ++h) {
    for (size_t v = taps.left; v < taps.right; ++v, ++tap) {
      float *target = dx + h * rowLength + v * channels;
      Floats sum;
      std::memcpy(&sum, target, sizeof(sum));
      sum += winner == tap ? gradient : Floats{};
      std::memcpy(target, &sum, sizeof(sum));
    }
  }
}

WIDE static void PoolImage(const Window &w, const float *x, const float *dy, float *dx) {
  const size_t rowLength = w.width * w.channels;
  const auto end = [](ptrdiff_t last, size_t most) { return std::min<size_t>(most, std::max<ptrdiff_t>(0, last)); };
  for (size_t i = 0; i < w.outHeight; ++i) {
    const ptrdiff_t row = static_cast<ptrdiff_t>(i * w.strideHeight) - w.top;
    for (size_t j = 0; j < w.outWidth; ++j, dy += w.channels) {
      const ptrdiff_t column = static_cast<ptrdiff_t>(j * w.strideWidth) - w.left;
      const Taps taps{end(row, w.height), end(row + static_cast<ptrdiff_t>(w.kernelHeight), w.height),
                      end(column, w.width), end(column + static_cast<ptrdiff_t>(w.kernelWidth), w.width)};
      size_t c = 0;
      for (; c + 16 <= w.channels; c += 16) PoolWindow<16>(taps, rowLength, w.channels, x + c, dy + c, dx + c);
      for (; c + 8 <= w.channels; c += 8) PoolWindow<8>(taps, rowLength, w.channels, x + c, dy + c, dx + c);
      for (; c + 4 <= w.channels; c += 4) PoolWindow<4>(taps, rowLength, w.channels, x + c, dy + c, dx + c);
      for (; c + 2 <= w.channels; c += 2) PoolWindow<2>(taps, rowLength, w.channels, x + c, dy + c, dx + c);
      for (; c < w.channels; ++c) PoolWindow<1>(taps, rowLength, w.channels, x + c, dy + c, dx + c);
    }
  }
}

static void MaxPoolGrad(Call &call) {
  const Window w = WindowOf(call);
  const size_t inSize = w.height * w.width * w.channels;
  const size_t outSize = w.outHeight * w.outWidth * w.channels;
  call.pool.Run(w.batch, [&](size_t begin, size_t end) {
    for (size_t n = begin; n < end; ++n) {
      float *dx = call.outputs[0].values + n * inSize;
      std::fill(dx, dx + inSize, 0.0f);
      PoolImage(w, call.inputs[0].values + n * inSize, call.inputs[1].values + n * outSize, dx);
    }
  });
}

}  // namespace multigrad

#endif  // MULTIGRAD_POOLING_H_
