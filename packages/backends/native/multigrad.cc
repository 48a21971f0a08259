// Kernels of multigrad for the processor, beside the addon of @tensorflow/tfjs-node: what TensorFlow's eager ops compute
// slowly or in many passes. They read and write the buffers of tensors in place.
//
// The addon's own sources are included as they are: its table of tensors is private to it.

#include <malloc.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <node_api.h>
#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"

#define private public
#include "binding/tfjs_backend.h"
#undef private

// The addon's module is registered below, with our functions in it.
#undef NAPI_MODULE
#define NAPI_MODULE(name, initialise)
#include "binding/tfjs_binding.cc"

#include "kernel_call.h"
#include "layer_norm.h"
#include "pooling.h"
#include "products.h"
#include "reductions.h"
#include "small_maps.h"
#include "sequences.h"

namespace multigrad {

using tfnodejs::TFJSBackend;

constexpr size_t kChunk = 8192;
// Float64 sums of so many numbers stay in the nearest cache.
constexpr size_t kSums = 1024;

// ---------------------------------------------------------------- rows

// Largest bits of a number without its sign: they order as magnitudes do, with NaN beyond infinity.
WIDE static uint32_t LargestBits(const float *row, size_t size) {
  uint32_t largest = 0;
  for (size_t i = 0; i < size; ++i) {
    uint32_t bits;
    std::memcpy(&bits, row + i, sizeof(bits));
    bits &= 0x7fffffffu;
    largest = bits > largest ? bits : largest;
  }
  return largest;
}

constexpr uint32_t kInfinity = 0x7f800000u;

WIDE static double Dot(const float *a, const float *b, size_t size) {
  double sums[16] = {0};
  size_t i = 0;
  for (; i + 16 <= size; i += 16)
    for (size_t k = 0; k < 16; ++k)
      sums[k] += static_cast<double>(a[i + k]) * static_cast<double>(b[i + k]);
  double sum = 0;
  for (; i < size; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  for (size_t k = 0; k < 16; ++k) sum += sums[k];
  return sum;
}

constexpr size_t kPiece = 2048;

// Largest magnitudes, then for each pair the high and the low part of <g_i, g_j> / (m_i m_j).
static void GramianOfRows(Call &call) {
  const size_t count = call.inputs.size(), size = call.inputs[0].size;
  const size_t pairs = count * (count + 1) / 2;
  const size_t chunks = std::max<size_t>(1, (size + kChunk - 1) / kChunk);
  std::vector<uint32_t> magnitudes(chunks * count);
  std::vector<double> products(chunks * pairs, 0.0);
  call.pool.Run(chunks, [&](size_t begin, size_t end) {
    for (size_t chunk = begin; chunk < end; ++chunk) {
      const size_t last = std::min(size, (chunk + 1) * kChunk);
      // Pieces of the rows that stay in the nearest cache for all pairs.
      for (size_t at = chunk * kChunk; at < last; at += kPiece) {
        const size_t length = std::min(kPiece, last - at);
        size_t pair = chunk * pairs;
        for (size_t i = 0; i < count; ++i) {
          const float *row = call.inputs[i].values + at;
          uint32_t &largest = magnitudes[chunk * count + i];
          largest = std::max(largest, LargestBits(row, length));
          for (size_t j = i; j < count; ++j) products[pair++] += Dot(row, call.inputs[j].values + at, length);
        }
      }
    }
  });
  float *out = call.outputs[0].values;
  for (size_t i = 0; i < count; ++i) {
    uint32_t largest = 0;
    for (size_t chunk = 0; chunk < chunks; ++chunk) largest = std::max(largest, magnitudes[chunk * count + i]);
    std::memcpy(out + i, &largest, sizeof(largest));
  }
  size_t pair = 0;
  float *target = out + count;
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = i; j < count; ++j, ++pair, target += 2) {
      if (out[i] == 0 || out[j] == 0) {
        target[0] = target[1] = 0;
        continue;
      }
      double product = 0;
      for (size_t chunk = 0; chunk < chunks; ++chunk) product += products[chunk * pairs + pair];
      product = product / static_cast<double>(out[i]) / static_cast<double>(out[j]);
      target[0] = static_cast<float>(product);
      target[1] = static_cast<float>(product - static_cast<double>(target[0]));
    }
  }
}

// A block of inner products in float64 whose sums stay in registers.
constexpr size_t kDown = 2, kAcross = 4, kLanes = 8;
typedef float Floats __attribute__((vector_size(4 * kLanes)));
typedef double Doubles __attribute__((vector_size(8 * kLanes)));

// out[r * kAcross + c] = <row r of x, row c of y>, rows of `size` numbers. Rows beyond the last ones repeat those.
WIDE static void BlockOf(const float *x, size_t rowsX, const float *y, size_t rowsY, size_t size, double *out) {
  const float *a[kDown], *b[kAcross];
  for (size_t r = 0; r < kDown; ++r) a[r] = x + std::min(r, rowsX - 1) * size;
  for (size_t c = 0; c < kAcross; ++c) b[c] = y + std::min(c, rowsY - 1) * size;
  Doubles s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, t0 = {0}, t1 = {0}, t2 = {0}, t3 = {0};
  size_t i = 0;
  const auto at = [&i](const float *row) __attribute__((always_inline)) {
    Floats values;
    std::memcpy(&values, row + i, sizeof(values));
    return __builtin_convertvector(values, Doubles);
  };
  for (; i + kLanes <= size; i += kLanes) {
    const Doubles u = at(a[0]), v = at(a[1]);
    const Doubles w0 = at(b[0]), w1 = at(b[1]), w2 = at(b[2]), w3 = at(b[3]);
    s0 += u * w0, s1 += u * w1, s2 += u * w2, s3 += u * w3;
    t0 += v * w0, t1 += v * w1, t2 += v * w2, t3 += v * w3;
  }
  const Doubles sums[kDown * kAcross] = {s0, s1, s2, s3, t0, t1, t2, t3};
  for (size_t r = 0; r < kDown; ++r) {
    for (size_t c = 0; c < kAcross; ++c) {
      double sum = 0;
      for (size_t k = 0; k < kLanes; ++k) sum += sums[r * kAcross + c][k];
      for (size_t k = i; k < size; ++k) sum += static_cast<double>(a[r][k]) * static_cast<double>(b[c][k]);
      out[r * kAcross + c] = sum;
    }
  }
}

// Of gradients g_k = left^T row_k, which are not computed: lengths, then for each pair the high and the low part of
// <g_i, g_j> / (m_i m_j) = sum over samples b, c of <left_b, left_c> <row_ib, row_jc>, then the largest ratio of (sum of the
// lengths of the samples' gradients)^2 to m_k^2.
static void GramianOfProducts(Call &call) {
  const size_t batch = call.Count(0), count = call.inputs.size() - 1, pairs = count * (count + 1) / 2;
  const View &left = call.inputs[0];
  const size_t inputs = left.size / batch, outputs = call.inputs[1].size / batch;
  // By piece of kAcross samples b: the pairs, then the sum of the samples' lengths for each k.
  const size_t pieces = (batch + kAcross - 1) / kAcross;
  std::vector<double> sums(pieces * (pairs + count), 0.0);
  const auto blocks = [&](size_t piece, size_t b, size_t c) {
    double *own = sums.data() + piece * (pairs + count);
    double inner[kDown * kAcross], outer[kDown * kAcross];
    const size_t last = std::min(batch, (piece + 1) * kAcross);
    const size_t rows = std::min(kDown, last - b), columns = std::min(kAcross, batch - c);
    const bool within = c < last;
    BlockOf(left.values + b * inputs, rows, left.values + c * inputs, columns, inputs, inner);
    for (size_t i = 0; i < count; ++i) {
      for (size_t j = within ? i : 0; j < count; ++j) {
        BlockOf(call.inputs[1 + i].values + b * outputs, rows, call.inputs[1 + j].values + c * outputs, columns,
                outputs, outer);
        double sum = 0;
        for (size_t r = 0; r < rows; ++r) {
          for (size_t s = 0; s < columns; ++s) {
            const double product = inner[r * kAcross + s] * outer[r * kAcross + s];
            sum += product;
            if (i == j && b + r == c + s) own[pairs + i] += std::sqrt(std::max(0.0, product));
          }
        }
        // Two different samples count as (b, c) and as (c, b); of i and j both orders come by.
        const size_t low = std::min(i, j), high = std::max(i, j);
        own[low * count - low * (low - 1) / 2 + high - low] += within || i != j ? sum : 2 * sum;
      }
    }
  };
  call.pool.Run(pieces, [&](size_t begin, size_t end) {
    for (size_t turn = begin; turn < end; ++turn) {
      // Both ends in turn: the later a piece, the fewer samples it has to go.
      const size_t piece = turn % 2 == 0 ? turn / 2 : pieces - 1 - turn / 2;
      const size_t first = piece * kAcross, last = std::min(batch, first + kAcross);
      for (size_t c = first; c < batch; c += kAcross)
        for (size_t b = first; b < last; b += kDown) blocks(piece, b, c);
    }
  });
  for (size_t piece = 1; piece < pieces; ++piece)
    for (size_t k = 0; k < pairs + count; ++k) sums[k] += sums[piece * (pairs + count) + k];
  float *out = call.outputs[0].values;
  double cancellation = 0;
  for (size_t k = 0, pair = 0; k < count; pair += count - k, ++k) {
    const double square = sums[pair], length = sums[pairs + k];
    // Rounding may leave a little below zero.
    out[k] = square < 0 ? 0.0f : static_cast<float>(std::sqrt(square));
    if (length == 0) continue;
    const double ratio = square > 0 ? length * length / square : std::numeric_limits<double>::infinity();
    cancellation = std::max(cancellation, ratio);
  }
  float *target = out + count;
  for (size_t i = 0, pair = 0; i < count; ++i) {
    for (size_t j = i; j < count; ++j, ++pair, target += 2) {
      const bool zero = out[i] == 0 || out[j] == 0;
      const double product = zero ? 0 : sums[pair] / static_cast<double>(out[i]) / static_cast<double>(out[j]);
      target[0] = static_cast<float>(product);
      target[1] = static_cast<float>(product - static_cast<double>(target[0]));
    }
  }
  *target = static_cast<float>(cancellation);
}

// The sum of weighted rows at [at, at + length), in float64.
WIDE static void WeightedSum(const std::vector<View> &rows, size_t first, const double *weights,
                             size_t at, size_t length, double *sums) {
  std::fill(sums, sums + length, 0.0);
  for (size_t k = first; k < rows.size(); ++k) {
    const double weight = weights[k - first];
    const float *row = rows[k].values + at;
    for (size_t i = 0; i < length; ++i) sums[i] += weight * static_cast<double>(row[i]);
  }
}

WIDE static void Round(const double *sums, float *out, size_t length) {
  for (size_t i = 0; i < length; ++i) out[i] = static_cast<float>(sums[i]);
}

static void EachChunk(Call &call, size_t size,
                      const std::function<void(size_t, size_t, double *)> &body) {
  call.pool.Run((size + kChunk - 1) / kChunk, [&](size_t begin, size_t end) {
    double sums[kSums];
    for (size_t at = begin * kChunk; at < std::min(size, end * kChunk); at += kSums)
      body(at, std::min(kSums, size - at), sums);
  });
}

// One number for each row, of any size: 1 where all of it is finite, else 0.
static void FiniteRows(Call &call) {
  // Rows are cut into chunks, so that a long one is shared by the processors.
  std::vector<std::pair<size_t, size_t>> chunks;
  for (size_t row = 0; row < call.inputs.size(); ++row)
    for (size_t at = 0; at < call.inputs[row].size; at += 4 * kChunk) chunks.emplace_back(row, at);
  std::vector<char> finite(chunks.size());
  call.pool.Run(chunks.size(), [&](size_t begin, size_t end) {
    for (size_t chunk = begin; chunk < end; ++chunk) {
      const View row = call.inputs[chunks[chunk].first];
      const size_t at = chunks[chunk].second;
      finite[chunk] = LargestBits(row.values + at, std::min(4 * kChunk, row.size - at)) < kInfinity;
    }
  });
  std::fill_n(call.outputs[0].values, call.inputs.size(), 1.0f);
  for (size_t chunk = 0; chunk < chunks.size(); ++chunk)
    if (!finite[chunk]) call.outputs[0].values[chunks[chunk].first] = 0;
}

static void CombineRows(Call &call) {
  EachChunk(call, call.inputs[0].size, [&](size_t at, size_t length, double *sums) {
    WeightedSum(call.inputs, 0, call.numbers.data(), at, length, sums);
    Round(sums, call.outputs[0].values + at, length);
  });
}

// ---------------------------------------------------------------- optimizers

WIDE static void MomentumChunk(const float *variable, const float *velocity, const double *sums,
                               size_t length, double rate, double momentum, double decay,
                               bool nesterov, float *newVariable, float *newVelocity) {
  EACH_ALONE
  for (size_t i = 0; i < length; ++i) {
    const double theta = variable[i];
    const double g = sums[i] + decay * theta;
    const double v = momentum * static_cast<double>(velocity[i]) + g;
    newVelocity[i] = static_cast<float>(v);
    newVariable[i] = static_cast<float>(theta - rate * (nesterov ? g + momentum * v : v));
  }
}

// Numbers: learning rate, momentum, weight decay, nesterov, then the weights.
static void MomentumUpdate(Call &call) {
  const double *n = call.numbers.data();
  EachChunk(call, call.inputs[0].size, [&](size_t at, size_t length, double *sums) {
    WeightedSum(call.inputs, 2, n + 4, at, length, sums);
    MomentumChunk(call.inputs[0].values + at, call.inputs[1].values + at, sums, length, n[0], n[1],
                  n[2], n[3] != 0, call.outputs[0].values + at, call.outputs[1].values + at);
  });
}

WIDE static void AdamChunk(const float *variable, const float *mean, const float *square,
                           const double *sums, size_t length, const double *n, float *newVariable,
                           float *newMean, float *newSquare) {
  const double rate = n[0], beta1 = n[1], beta2 = n[2], epsilon = n[3], decay = n[4];
  const double kept = 1 - rate * n[5], scale1 = 1 / n[6], scale2 = 1 / n[7];
  EACH_ALONE
  for (size_t i = 0; i < length; ++i) {
    const double theta = variable[i];
    const double g = sums[i] + decay * theta;
    const double m = beta1 * static_cast<double>(mean[i]) + (1 - beta1) * g;
    const double s = beta2 * static_cast<double>(square[i]) + (1 - beta2) * g * g;
    newMean[i] = static_cast<float>(m);
    newSquare[i] = static_cast<float>(s);
    newVariable[i] =
        static_cast<float>(kept * theta - rate * (m * scale1) / (std::sqrt(s * scale2) + epsilon));
  }
}

// Numbers: learning rate, beta 1 and 2, epsilon, decay, decoupled decay, corrections 1 and 2, then the weights.
static void AdamUpdate(Call &call) {
  const double *n = call.numbers.data();
  EachChunk(call, call.inputs[0].size, [&](size_t at, size_t length, double *sums) {
    WeightedSum(call.inputs, 3, n + 8, at, length, sums);
    AdamChunk(call.inputs[0].values + at, call.inputs[1].values + at, call.inputs[2].values + at, sums,
              length, n, call.outputs[0].values + at, call.outputs[1].values + at,
              call.outputs[2].values + at);
  });
}

// ---------------------------------------------------------------- bias and activation of a convolution

WIDE static void BiasChunk(const float *x, const float *bias, size_t length, bool relu, float *y) {
  EACH_ALONE
  for (size_t i = 0; i < length; ++i) {
    const float sum = x[i] + bias[i];
    y[i] = relu && sum < 0 ? 0 : sum;
  }
}

// Inputs: x, a bias for each channel. Number: relu.
static void BiasActivation(Call &call) {
  const View x = call.inputs[0], bias = call.inputs[1];
  const bool relu = call.numbers[0] != 0;
  // The bias is repeated, so that loops are long also for a few channels.
  const size_t repeats = std::max<size_t>(1, 1024 / bias.size), width = repeats * bias.size;
  std::vector<float> repeated(width);
  for (size_t k = 0; k < repeats; ++k) std::copy_n(bias.values, bias.size, repeated.data() + k * bias.size);
  const size_t lines = (x.size + width - 1) / width, block = std::max<size_t>(1, 4 * kChunk / width);
  call.pool.Run((lines + block - 1) / block, [&](size_t begin, size_t end) {
    for (size_t at = begin * block * width; at < std::min(x.size, end * block * width); at += width)
      BiasChunk(x.values + at, repeated.data(), std::min(width, x.size - at), relu, call.outputs[0].values + at);
  });
}

// ---------------------------------------------------------------- convolution towards few channels

typedef float Eight __attribute__((vector_size(32), aligned(4)));

// Gradients of P neighbouring pixels with respect to C channels, from the padded output gradient; O in eights.
template <size_t C, size_t P>
static inline __attribute__((always_inline)) void InputGradientOfPixels(
    const float *dy, const float *filter, size_t rowLength, size_t outputs, size_t kernelHeight,
    size_t kernelWidth, float *dx) {
  Eight sums[P][C] = {};
  for (size_t kh = 0; kh < kernelHeight; ++kh) {
    for (size_t kw = 0; kw < kernelWidth; ++kw) {
      const float *d = dy + kh * rowLength + kw * outputs;
      const float *f = filter + (kh * kernelWidth + kw) * C * outputs;
      for (size_t o = 0; o < outputs; o += 8) {
        Eight values[P];
        for (size_t p = 0; p < P; ++p) values[p] = *reinterpret_cast<const Eight *>(d + p * outputs + o);
        for (size_t c = 0; c < C; ++c) {
          const Eight factor = *reinterpret_cast<const Eight *>(f + c * outputs + o);
          for (size_t p = 0; p < P; ++p) sums[p][c] += values[p] * factor;
        }
      }
    }
  }
  for (size_t p = 0; p < P; ++p)
    for (size_t c = 0; c < C; ++c) {
      const Eight s = sums[p][c];
      dx[p * C + c] = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
    }
}

template <size_t C>
static inline __attribute__((always_inline)) void InputGradientOfRow(
    const float *dy, const float *filter, size_t width, size_t rowLength, size_t outputs,
    size_t kernelHeight, size_t kernelWidth, float *dx) {
  size_t j = 0;
  for (; j + 4 <= width; j += 4)
    InputGradientOfPixels<C, 4>(dy + j * outputs, filter, rowLength, outputs, kernelHeight, kernelWidth, dx + j * C);
  for (; j < width; ++j)
    InputGradientOfPixels<C, 1>(dy + j * outputs, filter, rowLength, outputs, kernelHeight, kernelWidth, dx + j * C);
}

WIDE static void InputGradientRow(size_t channels, const float *dy, const float *filter, size_t width, size_t rowLength,
                                  size_t outputs, size_t kernelHeight, size_t kernelWidth, float *dx) {
  switch (channels) {
    case 1: return InputGradientOfRow<1>(dy, filter, width, rowLength, outputs, kernelHeight, kernelWidth, dx);
    case 2: return InputGradientOfRow<2>(dy, filter, width, rowLength, outputs, kernelHeight, kernelWidth, dx);
    case 3: return InputGradientOfRow<3>(dy, filter, width, rowLength, outputs, kernelHeight, kernelWidth, dx);
    default: return InputGradientOfRow<4>(dy, filter, width, rowLength, outputs, kernelHeight, kernelWidth, dx);
  }
}

// Stride 1, 1 to 4 input channels, outputs a multiple of 8. Inputs: dy, filter [kh, kw, C, O].
static void NarrowInputGradient(Call &call) {
  const Window w = WindowOf(call);
  const size_t outputs = call.Count(12), kh = w.kernelHeight, kw = w.kernelWidth, C = w.channels;
  // The filter turned by half a circle: the gradient is a convolution of the padded output gradient with it.
  const float *filter = call.inputs[1].values;
  std::vector<float> turned(kh * kw * C * outputs);
  for (size_t tap = 0; tap < kh * kw; ++tap)
    std::copy_n(filter + tap * C * outputs, C * outputs, turned.data() + (kh * kw - 1 - tap) * C * outputs);
  // Position of the output gradient's first pixel in the padded plane, which covers every window of an input pixel.
  const size_t top = kh - 1 - static_cast<size_t>(w.top), left = kw - 1 - static_cast<size_t>(w.left);
  const size_t planeHeight = w.height + kh - 1, planeWidth = w.width + kw - 1, rowLength = planeWidth * outputs;
  call.pool.Run(w.batch, [&](size_t begin, size_t end) {
    std::vector<float> plane(planeHeight * rowLength, 0.0f);
    for (size_t n = begin; n < end; ++n) {
      const float *dy = call.inputs[0].values + n * w.outHeight * w.outWidth * outputs;
      for (size_t i = 0; i < w.outHeight; ++i)
        std::copy_n(dy + i * w.outWidth * outputs, w.outWidth * outputs,
                    plane.data() + (i + top) * rowLength + left * outputs);
      for (size_t i = 0; i < w.height; ++i)
        InputGradientRow(C, plane.data() + i * rowLength, turned.data(), w.width, rowLength, outputs, kh, kw,
                         call.outputs[0].values + (n * w.height + i) * w.width * C);
    }
  });
}

// ---------------------------------------------------------------- batch normalisation

// Channels are the last axis. Loops run over lanes: as many channels, repeated, as fill a vector; what belongs to a
// channel is laid out so too.
class Lanes {
 public:
  Lanes(size_t size, size_t channels)
      : size_(size), channels_(channels), lanes_(channels * std::max<size_t>(1, (16 + channels - 1) / channels)) {}

  size_t Count() const { return lanes_; }

  std::vector<float> Spread(const float *values) const {
    std::vector<float> spread(lanes_);
    for (size_t lane = 0; lane < lanes_; ++lane) spread[lane] = values[lane % channels_];
    return spread;
  }

  // Adds up by channel what `body` adds by lane: body(at, length, sums), sums of `kinds` times the lanes.
  std::vector<double> Sum(Pool &pool, size_t kinds,
                          const std::function<void(size_t, size_t, double *)> &body) const {
    const size_t step = Step(), chunks = (size_ + step - 1) / step;
    std::vector<double> partial(chunks * kinds * lanes_, 0.0);
    pool.Run(chunks, [&](size_t begin, size_t end) {
      for (size_t chunk = begin; chunk < end; ++chunk)
        body(chunk * step, std::min(step, size_ - chunk * step), partial.data() + chunk * kinds * lanes_);
    });
    std::vector<double> sums(kinds * channels_, 0.0);
    for (size_t chunk = 0; chunk < chunks; ++chunk)
      for (size_t kind = 0; kind < kinds; ++kind)
        for (size_t lane = 0; lane < lanes_; ++lane)
          sums[kind * channels_ + lane % channels_] += partial[(chunk * kinds + kind) * lanes_ + lane];
    return sums;
  }

  void Each(Pool &pool, const std::function<void(size_t, size_t)> &body) const {
    const size_t step = Step();
    pool.Run((size_ + step - 1) / step, [&](size_t begin, size_t end) {
      for (size_t chunk = begin; chunk < end; ++chunk)
        body(chunk * step, std::min(step, size_ - chunk * step));
    });
  }

 private:
  size_t Step() const { return std::max<size_t>(1, kChunk / lanes_) * lanes_; }

  size_t size_, channels_, lanes_;
};

WIDE static void AddUpSquares(const float *x, size_t length, size_t lanes, const float *mean, double *sums) {
  for (size_t at = 0; at < length; at += lanes) {
    const size_t count = std::min(lanes, length - at);
    for (size_t k = 0; k < count; ++k) {
      const double difference = x[at + k] - mean[k];
      sums[k] += difference * difference;
    }
  }
}

WIDE static void AddUpGradients(const float *dy, const float *x, size_t length, size_t lanes, const float *mean,
                                double *sums) {
  double *products = sums + lanes;
  for (size_t at = 0; at < length; at += lanes) {
    const size_t count = std::min(lanes, length - at);
    for (size_t k = 0; k < count; ++k) {
      const double d = dy[at + k];
      sums[k] += d;
      products[k] += d * static_cast<double>(x[at + k] - mean[k]);
    }
  }
}

WIDE static void Normalise(const float *x, size_t length, size_t lanes, const float *mean, const float *factor,
                           const float *offset, float *y) {
  for (size_t at = 0; at < length; at += lanes) {
    const size_t count = std::min(lanes, length - at);
    for (size_t k = 0; k < count; ++k) y[at + k] = (x[at + k] - mean[k]) * factor[k] + offset[k];
  }
}

// dx = (dy - offset) factor - (x - mean) slope
WIDE static void Denormalise(const float *dy, const float *x, size_t length, size_t lanes, const float *mean,
                             const float *factor, const float *offset, const float *slope, float *dx) {
  for (size_t at = 0; at < length; at += lanes) {
    const size_t count = std::min(lanes, length - at);
    for (size_t k = 0; k < count; ++k)
      dx[at + k] = (dy[at + k] - offset[k]) * factor[k] - (x[at + k] - mean[k]) * slope[k];
  }
}

static std::vector<float> Rounded(const std::vector<double> &values) {
  return std::vector<float>(values.begin(), values.end());
}

// Inputs: x, scale, offset. Outputs: y, mean, variance, inverse deviation. Number: epsilon.
static void BatchNormTraining(Call &call) {
  const View x = call.inputs[0], y = call.outputs[0];
  const size_t channels = call.inputs[1].size;
  const double rows = static_cast<double>(x.size / std::max<size_t>(1, channels));
  const Lanes lanes(x.size, channels);
  std::vector<double> mean = lanes.Sum(call.pool, 1, [&](size_t at, size_t length, double *sums) {
    AddUp(x.values + at, length, lanes.Count(), sums);
  });
  for (double &value : mean) value /= rows;
  const std::vector<float> center = Rounded(mean), centers = lanes.Spread(center.data());
  std::vector<double> variance = lanes.Sum(call.pool, 1, [&](size_t at, size_t length, double *sums) {
    AddUpSquares(x.values + at, length, lanes.Count(), centers.data(), sums);
  });
  std::vector<float> factor(channels), shift(channels);
  for (size_t c = 0; c < channels; ++c) {
    // The mean was rounded before it was taken off: what is missing goes with the offset.
    const double rounding = mean[c] - static_cast<double>(center[c]);
    variance[c] = std::max(0.0, variance[c] / rows - rounding * rounding);
    const double inverse = 1 / std::sqrt(variance[c] + call.numbers[0]);
    factor[c] = static_cast<float>(inverse * static_cast<double>(call.inputs[1].values[c]));
    shift[c] = static_cast<float>(static_cast<double>(call.inputs[2].values[c]) -
                                  rounding * static_cast<double>(factor[c]));
    call.outputs[1].values[c] = center[c];
    call.outputs[2].values[c] = static_cast<float>(variance[c]);
    call.outputs[3].values[c] = static_cast<float>(inverse);
  }
  const std::vector<float> factors = lanes.Spread(factor.data()), offsets = lanes.Spread(shift.data());
  lanes.Each(call.pool, [&](size_t at, size_t length) {
    Normalise(x.values + at, length, lanes.Count(), centers.data(), factors.data(), offsets.data(), y.values + at);
  });
}

// Inputs: dy, x, scale, mean, inverse deviation. Outputs: dx, dScale, dOffset.
static void BatchNormTrainingGrad(Call &call) {
  const View dy = call.inputs[0], x = call.inputs[1], scale = call.inputs[2], inverse = call.inputs[4];
  const size_t channels = scale.size;
  const double rows = static_cast<double>(x.size / std::max<size_t>(1, channels));
  const Lanes lanes(x.size, channels);
  const std::vector<float> means = lanes.Spread(call.inputs[3].values);
  const std::vector<double> sums = lanes.Sum(call.pool, 2, [&](size_t at, size_t length, double *out) {
    AddUpGradients(dy.values + at, x.values + at, length, lanes.Count(), means.data(), out);
  });
  std::vector<float> factor(channels), offset(channels), slope(channels);
  for (size_t c = 0; c < channels; ++c) {
    const double s = inverse.values[c], dScale = sums[channels + c] * s;
    factor[c] = static_cast<float>(s * static_cast<double>(scale.values[c]));
    offset[c] = static_cast<float>(sums[c] / rows);
    slope[c] = static_cast<float>(s * static_cast<double>(scale.values[c]) * s * dScale / rows);
    call.outputs[1].values[c] = static_cast<float>(dScale);
    call.outputs[2].values[c] = static_cast<float>(sums[c]);
  }
  const std::vector<float> factors = lanes.Spread(factor.data()), offsets = lanes.Spread(offset.data()),
                           slopes = lanes.Spread(slope.data());
  lanes.Each(call.pool, [&](size_t at, size_t length) {
    Denormalise(dy.values + at, x.values + at, length, lanes.Count(), means.data(), factors.data(), offsets.data(),
                slopes.data(), call.outputs[0].values + at);
  });
}

// Inputs: dy, x, mean, variance, scale. Outputs: dx, dMean, dVariance, dScale, dOffset. Number: epsilon.
static void BatchNormInferenceGrad(Call &call) {
  const View dy = call.inputs[0], x = call.inputs[1], scale = call.inputs[4];
  const size_t channels = scale.size;
  const Lanes lanes(x.size, channels);
  const std::vector<float> means = lanes.Spread(call.inputs[2].values);
  const std::vector<double> sums = lanes.Sum(call.pool, 2, [&](size_t at, size_t length, double *out) {
    AddUpGradients(dy.values + at, x.values + at, length, lanes.Count(), means.data(), out);
  });
  std::vector<float> factor(channels);
  const std::vector<float> zero(lanes.Count(), 0.0f);
  for (size_t c = 0; c < channels; ++c) {
    const double inverse = 1 / std::sqrt(static_cast<double>(call.inputs[3].values[c]) + call.numbers[0]);
    const double gamma = scale.values[c], dScale = sums[channels + c] * inverse;
    factor[c] = static_cast<float>(gamma * inverse);
    call.outputs[1].values[c] = static_cast<float>(-gamma * inverse * sums[c]);
    call.outputs[2].values[c] = static_cast<float>(-gamma * inverse * inverse * dScale / 2);
    call.outputs[3].values[c] = static_cast<float>(dScale);
    call.outputs[4].values[c] = static_cast<float>(sums[c]);
  }
  const std::vector<float> factors = lanes.Spread(factor.data());
  lanes.Each(call.pool, [&](size_t at, size_t length) {
    Normalise(dy.values + at, length, lanes.Count(), zero.data(), factors.data(), zero.data(),
              call.outputs[0].values + at);
  });
}

// ---------------------------------------------------------------- functions of each row

// Inputs: dy, y. Number: columns. dx = y (dy - sum of dy y).
static void SoftmaxGrad(Call &call) {
  const size_t columns = call.Count(0), rows = columns == 0 ? 0 : call.inputs[0].size / columns;
  EachRow(call.pool, rows, columns, [&](size_t row) {
    const float *dy = call.inputs[0].values + row * columns, *y = call.inputs[1].values + row * columns;
    const double total = Dot(dy, y, columns);
    float *dx = call.outputs[0].values + row * columns;
    for (size_t c = 0; c < columns; ++c) dx[c] = static_cast<float>(y[c] * (dy[c] - total));
  });
}

// Inputs: dy, y. Number: columns. dx = dy - exp(y) (sum of dy).
static void LogSoftmaxGrad(Call &call) {
  const size_t columns = call.Count(0), rows = columns == 0 ? 0 : call.inputs[0].size / columns;
  EachRow(call.pool, rows, columns, [&](size_t row) {
    const float *dy = call.inputs[0].values + row * columns, *y = call.inputs[1].values + row * columns;
    double total = 0;
    for (size_t c = 0; c < columns; ++c) total += dy[c];
    float *dx = call.outputs[0].values + row * columns;
    for (size_t c = 0; c < columns; ++c) dx[c] = static_cast<float>(dy[c] - std::exp(static_cast<double>(y[c])) * total);
  });
}

constexpr double kRootTwoOverPi = 0.7978845608028654, kCubic = 0.044715;

EACH_NUMBER GeluValue(float x, bool approximate) {
  if (!approximate) return x * NormalDistribution(x, Exp(-0.5f * x * x));
  const float inner = static_cast<float>(kRootTwoOverPi) * (x + static_cast<float>(kCubic) * x * x * x);
  return x * 0.5f * (1 + Tanh(inner));
}

EACH_NUMBER GeluSlope(float x, bool approximate) {
  const float root = static_cast<float>(kRootTwoOverPi), cubic = static_cast<float>(kCubic);
  if (!approximate) {
    const float bell = Exp(-0.5f * x * x);
    return NormalDistribution(x, bell) + x * (root * 0.5f) * bell;
  }
  const float t = Tanh(root * (x + cubic * x * x * x));
  return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * root * (1 + 3 * cubic * x * x);
}

WIDE static void GeluValues(const float *x, float *y, bool approximate, size_t begin, size_t end) {
  // A loop for each, so that neither has a branch.
  if (approximate) {
    EACH_ALONE
    for (size_t i = begin; i < end; ++i) y[i] = GeluValue(x[i], true);
    return;
  }
  EACH_ALONE
  for (size_t i = begin; i < end; ++i) y[i] = GeluValue(x[i], false);
}

WIDE static void GeluGradients(const float *dy, const float *x, float *dx, bool approximate, size_t begin, size_t end) {
  if (approximate) {
    EACH_ALONE
    for (size_t i = begin; i < end; ++i) dx[i] = dy[i] * GeluSlope(x[i], true);
    return;
  }
  EACH_ALONE
  for (size_t i = begin; i < end; ++i) dx[i] = dy[i] * GeluSlope(x[i], false);
}

// Input: x. Number: approximate.
static void Gelu(Call &call) {
  const bool approximate = call.numbers[0] != 0;
  EachChunk(call, call.inputs[0].size, [&](size_t at, size_t length, double *) {
    GeluValues(call.inputs[0].values, call.outputs[0].values, approximate, at, at + length);
  });
}

// Inputs: dy, x. Number: approximate.
static void GeluGrad(Call &call) {
  const bool approximate = call.numbers[0] != 0;
  EachChunk(call, call.inputs[0].size, [&](size_t at, size_t length, double *) {
    GeluGradients(call.inputs[0].values, call.inputs[1].values, call.outputs[0].values, approximate, at, at + length);
  });
}

// ---------------------------------------------------------------- dropout

// A bijection of 32 bits in which each bit of the input changes half of the output's: as in seededUniform of core.
static inline uint32_t Mix(uint32_t h) {
  h = (h ^ (h >> 16)) * 0x21f0aaadu;
  h = (h ^ (h >> 15)) * 0x735a2d97u;
  return h ^ (h >> 15);
}

WIDE static void DropChunk(const float *x, size_t at, size_t length, uint32_t high, uint32_t low, float rate,
                           float factor, float *y) {
  for (size_t i = 0; i < length; ++i) {
    const uint32_t bits = Mix(Mix(static_cast<uint32_t>(at + i) ^ low) + high) >> 8;
    y[i] = static_cast<float>(static_cast<int32_t>(bits)) * 0x1p-24f >= rate ? x[i] * factor : 0.0f;
  }
}

// Input: x. Numbers: rate, the key's high and low half.
static void SeededDropout(Call &call) {
  const View x = call.inputs[0];
  const double rate = call.numbers[0];
  const uint32_t high = static_cast<uint32_t>(call.Count(1)), low = static_cast<uint32_t>(call.Count(2));
  // A uniform number is a multiple of 2^-24: whether it reaches the rate is decided on the next such multiple.
  const float threshold = static_cast<float>(std::ceil(rate * 0x1p24) * 0x1p-24);
  call.pool.Run((x.size + kChunk - 1) / kChunk, [&](size_t begin, size_t end) {
    for (size_t chunk = begin; chunk < end; ++chunk) {
      const size_t at = chunk * kChunk;
      DropChunk(x.values + at, at, std::min(kChunk, x.size - at), high, low, threshold,
                static_cast<float>(1 / (1 - rate)), call.outputs[0].values + at);
    }
  });
}

// ---------------------------------------------------------------- cross-entropy

// Inputs: logits, labels (int32 in the same bits). Outputs: losses, gradient.
static void SparseSoftmaxCrossEntropy(Call &call) {
  const size_t classes = call.Count(0), rows = call.outputs[0].size;
  const int32_t *labels = reinterpret_cast<const int32_t *>(call.inputs[1].values);
  for (size_t row = 0; row < rows; ++row) {
    const float *z = call.inputs[0].values + row * classes;
    float *gradient = call.outputs[1].values + row * classes;
    const int32_t label = labels[row];
    const bool known = label >= 0 && static_cast<size_t>(label) < classes;
    if (!known) {
      const float value = label == -1 ? 0.0f : std::numeric_limits<float>::quiet_NaN();
      call.outputs[0].values[row] = value;
      std::fill(gradient, gradient + classes, value);
      continue;
    }
    double largest = -std::numeric_limits<double>::infinity(), total = 0;
    for (size_t c = 0; c < classes; ++c) largest = std::max(largest, static_cast<double>(z[c]));
    for (size_t c = 0; c < classes; ++c) total += std::exp(z[c] - largest);
    for (size_t c = 0; c < classes; ++c)
      gradient[c] = static_cast<float>(std::exp(z[c] - largest) / total - (static_cast<size_t>(label) == c ? 1 : 0));
    call.outputs[0].values[row] = static_cast<float>(std::log(total) - (z[label] - largest));
  }
}

// ---------------------------------------------------------------- the door to JavaScript

struct Kernel {
  const char *name;
  void (*run)(Call &);
};

static const Kernel kKernels[] = {
    {"GramianOfRows", GramianOfRows},
    {"GramianOfProducts", GramianOfProducts},
    {"CombineRows", CombineRows},
    {"FiniteRows", FiniteRows},
    {"MomentumUpdate", MomentumUpdate},
    {"AdamUpdate", AdamUpdate},
    {"MatrixProducts", MatrixProducts},
    {"MaxPoolGrad", MaxPoolGrad},
    {"BiasActivation", BiasActivation},
    {"NarrowInputGradient", NarrowInputGradient},
#if defined(__x86_64__)
    {"SmallMapConvolution", SmallMapConvolution},
    {"SmallMapInputGradient", SmallMapInputGradient},
    {"SmallMapFilterGradient", SmallMapFilterGradient},
#endif
    {"BatchNormTraining", BatchNormTraining},
    {"BatchNormTrainingGrad", BatchNormTrainingGrad},
    {"BatchNormInferenceGrad", BatchNormInferenceGrad},
    {"SparseSoftmaxCrossEntropy", SparseSoftmaxCrossEntropy},
    {"SoftmaxGrad", SoftmaxGrad},
    {"LogSoftmaxGrad", LogSoftmaxGrad},
    {"Sums", Sums},
    {"SegmentSum", SegmentSum},
    {"LayerNorm", LayerNorm},
    {"LayerNormGrad", LayerNormGrad},
    {"Lstm", Lstm},
    {"LstmGrad", LstmGrad},
    {"Gru", Gru},
    {"GruGrad", GruGrad},
    {"Attention", Attention},
    {"AttentionGrad", AttentionGrad},
    {"Gelu", Gelu},
    {"GeluGrad", GeluGrad},
    {"SeededDropout", SeededDropout},
};

static size_t Processors() {
  const char *given = std::getenv("TF_NUM_INTRAOP_THREADS");
  if (given != nullptr && std::atoi(given) > 0) return static_cast<size_t>(std::atoi(given));
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return static_cast<size_t>(CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

static Pool &ThePool() {
  // Never destroyed: its threads may outlive what runs at exit.
  static Pool *pool = new Pool(Processors());
  return *pool;
}

static napi_value Fail(napi_env env, const std::string &message) {
  napi_throw_error(env, nullptr, message.c_str());
  return nullptr;
}

static bool ReadShape(napi_env env, napi_value array, std::vector<int64_t> *shape) {
  uint32_t length = 0;
  if (napi_get_array_length(env, array, &length) != napi_ok) return false;
  shape->resize(length);
  for (uint32_t i = 0; i < length; ++i) {
    napi_value element;
    if (napi_get_element(env, array, i, &element) != napi_ok ||
        napi_get_value_int64(env, element, &(*shape)[i]) != napi_ok)
      return false;
  }
  return true;
}

// Takes hold of a tensor's buffer: `*alone` where nobody else does, so that it may be written to.
static TF_Tensor *TakeBuffer(TFE_TensorHandle **handle, TF_Status *status, bool *alone) {
  TF_Tensor *tensor = TFE_TensorHandleResolve(*handle, status);
  if (TF_GetCode(status) != TF_OK) return nullptr;
  // The handle holds the buffer too: without it a buffer with one holder is ours.
  TFE_DeleteTensorHandle(*handle);
  TF_Tensor *moved = TF_TensorMaybeMove(tensor);
  *alone = moved != nullptr;
  if (*alone) tensor = moved;
  *handle = TFE_NewTensorHandle(tensor, status);
  return tensor;
}

// runKernel(name, inputIds, numbers, outputShapes, spent): what executeOp returns, of float32 tensors. Of the first
// `spent` inputs nobody will read the values again: outputs take their buffers where nobody else holds them.
static napi_value RunKernel(napi_env env, napi_callback_info info) {
  size_t argc = 5;
  napi_value args[5];
  napi_get_cb_info(env, info, &argc, args, nullptr, nullptr);
  TFJSBackend *backend = tfnodejs::GetTFJSBackend(env);
  if (argc < 4 || backend == nullptr) return Fail(env, "runKernel takes a name, ids, numbers and shapes");
  char name[64];
  size_t length = 0;
  napi_get_value_string_utf8(env, args[0], name, sizeof(name), &length);
  const Kernel *kernel = std::find_if(std::begin(kKernels), std::end(kKernels),
                                      [&](const Kernel &one) { return std::strcmp(one.name, name) == 0; });
  if (kernel == std::end(kKernels)) return Fail(env, std::string("no kernel ") + name);

  std::unique_ptr<TF_Status, void (*)(TF_Status *)> status(TF_NewStatus(), TF_DeleteStatus);
  typedef std::unique_ptr<TF_Tensor, void (*)(TF_Tensor *)> Tensor;
  std::vector<Tensor> tensors;
  Call call{ThePool(), {}, {}, {}, {}};
  const auto view = [&](TF_Tensor *tensor) {
    tensors.emplace_back(tensor, TF_DeleteTensor);
    return View{static_cast<float *>(TF_TensorData(tensor)), TF_TensorByteSize(tensor) / sizeof(float)};
  };

  uint32_t count = 0, spent = 0;
  napi_get_array_length(env, args[1], &count);
  if (argc == 5) napi_get_value_uint32(env, args[4], &spent);
  std::vector<TF_Tensor *> reusable(spent, nullptr);
  for (uint32_t i = 0; i < count; ++i) {
    napi_value element;
    int32_t id = 0;
    napi_get_element(env, args[1], i, &element);
    napi_get_value_int32(env, element, &id);
    const auto entry = backend->tfe_handle_map_.find(id);
    if (entry == backend->tfe_handle_map_.end()) return Fail(env, "an input is no tensor of this backend");
    bool alone = false;
    TF_Tensor *tensor = i < spent ? TakeBuffer(&entry->second, status.get(), &alone)
                                  : TFE_TensorHandleResolve(entry->second, status.get());
    if (TF_GetCode(status.get()) != TF_OK) return Fail(env, TF_Message(status.get()));
    if (alone) reusable[i] = tensor;
    call.inputs.push_back(view(tensor));
  }
  napi_typedarray_type type;
  size_t numbers = 0;
  void *data = nullptr;
  if (napi_get_typedarray_info(env, args[2], &type, &numbers, &data, nullptr, nullptr) != napi_ok ||
      type != napi_float64_array)
    return Fail(env, "the numbers should be a Float64Array");
  call.numbers.assign(static_cast<double *>(data), static_cast<double *>(data) + numbers);
  uint32_t outputs = 0;
  napi_get_array_length(env, args[3], &outputs);
  std::vector<TF_Tensor *> results;
  for (uint32_t i = 0; i < outputs; ++i) {
    napi_value element;
    std::vector<int64_t> shape;
    napi_get_element(env, args[3], i, &element);
    if (!ReadShape(env, element, &shape)) return Fail(env, "a shape should be a list of numbers");
    size_t bytes = sizeof(float);
    for (const int64_t size : shape) bytes *= static_cast<size_t>(size);
    if (i < spent && reusable[i] != nullptr && TF_TensorByteSize(reusable[i]) == bytes) {
      call.outputs.push_back(call.inputs[i]);
      results.push_back(reusable[i]);
      continue;
    }
    TF_Tensor *tensor = TF_AllocateTensor(TF_FLOAT, shape.data(), static_cast<int>(shape.size()), bytes);
    call.outputs.push_back(view(tensor));
    results.push_back(tensor);
  }
  kernel->run(call);
  if (!call.failure.empty()) return Fail(env, call.failure);
  napi_value infos;
  napi_create_array_with_length(env, outputs, &infos);
  for (uint32_t i = 0; i < outputs; ++i) {
    TFE_TensorHandle *handle = TFE_NewTensorHandle(results[i], status.get());
    if (TF_GetCode(status.get()) != TF_OK) return Fail(env, TF_Message(status.get()));
    napi_set_element(env, infos, i, backend->GenerateOutputTensorInfo(env, handle));
  }
  return infos;
}

// reshape(id, shape): the id of a tensor with the same buffer in another shape.
static napi_value Reshape(napi_env env, napi_callback_info info) {
  size_t argc = 2;
  napi_value args[2];
  napi_get_cb_info(env, info, &argc, args, nullptr, nullptr);
  TFJSBackend *backend = tfnodejs::GetTFJSBackend(env);
  int32_t id = 0;
  std::vector<int64_t> shape;
  if (argc < 2 || backend == nullptr || napi_get_value_int32(env, args[0], &id) != napi_ok ||
      !ReadShape(env, args[1], &shape))
    return Fail(env, "reshape takes an id and a shape");
  const auto entry = backend->tfe_handle_map_.find(id);
  if (entry == backend->tfe_handle_map_.end()) return Fail(env, "the input is no tensor of this backend");
  std::unique_ptr<TF_Status, void (*)(TF_Status *)> status(TF_NewStatus(), TF_DeleteStatus);
  typedef std::unique_ptr<TF_Tensor, void (*)(TF_Tensor *)> Tensor;
  const Tensor tensor(TFE_TensorHandleResolve(entry->second, status.get()), TF_DeleteTensor);
  if (TF_GetCode(status.get()) != TF_OK) return Fail(env, TF_Message(status.get()));
  const TF_DataType type = TF_TensorType(tensor.get());
  const Tensor reshaped(TF_AllocateTensor(type, nullptr, 0, TF_DataTypeSize(type)), TF_DeleteTensor);
  TF_TensorBitcastFrom(tensor.get(), type, reshaped.get(), shape.data(), static_cast<int>(shape.size()), status.get());
  if (TF_GetCode(status.get()) != TF_OK) return Fail(env, TF_Message(status.get()));
  TFE_TensorHandle *handle = TFE_NewTensorHandle(reshaped.get(), status.get());
  if (TF_GetCode(status.get()) != TF_OK) return Fail(env, TF_Message(status.get()));
  napi_value result;
  napi_create_int32(env, backend->InsertHandle(handle), &result);
  return result;
}

// A training step frees what the next one asks for again. By default the C library hands large blocks back to the
// system, which clears every page of them anew: here they stay, unless the user has given orders of his own.
static void KeepFreedMemory() {
  if (std::getenv("MALLOC_MMAP_THRESHOLD_") == nullptr) mallopt(M_MMAP_THRESHOLD, 1 << 30);
  if (std::getenv("MALLOC_TRIM_THRESHOLD_") == nullptr) mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

static napi_value Initialise(napi_env env, napi_value exports) {
  KeepFreedMemory();
  napi_value result = tfnodejs::InitTFNodeJSBinding(env, exports);
  if (result == nullptr) return nullptr;
  napi_value run, reshape, kernels;
  napi_create_function(env, "runKernel", NAPI_AUTO_LENGTH, RunKernel, nullptr, &run);
  napi_set_named_property(env, result, "runKernel", run);
  napi_create_function(env, "reshape", NAPI_AUTO_LENGTH, Reshape, nullptr, &reshape);
  napi_set_named_property(env, result, "reshape", reshape);
  napi_value yes;
  napi_get_boolean(env, true, &yes);
  napi_set_named_property(env, result, "takesSpent", yes);
  napi_create_array(env, &kernels);
  uint32_t index = 0;
  for (const Kernel &kernel : kKernels) {
#if defined(__x86_64__)
    if (std::strncmp(kernel.name, "SmallMap", 8) == 0 && !HasSmallMaps()) continue;
#endif
    napi_value name;
    napi_create_string_utf8(env, kernel.name, NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, kernels, index++, name);
  }
  napi_value view;
  napi_create_string_utf8(env, "Reshape", NAPI_AUTO_LENGTH, &view);
  napi_set_element(env, kernels, index++, view);
  napi_set_named_property(env, result, "kernels", kernels);
  return result;
}

NAPI_MODULE_INIT() { return Initialise(env, exports); }

}  // namespace multigrad
