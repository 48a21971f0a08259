// Convolutions on maps of a few pixels with large filters, as in the last stages of a ResNet: the time goes into reading
// the filter. TensorFlow lays it out anew for its kernels at every call, and the gradient back again; these read and
// write it as it is, [height, width, C, O], once. Part of multigrad.cc, which includes it.
//
// For each tap of the filter there are pairs of pixels, one of the input and one of the output, that meet in it; taps
// that would meet padding alone cost nothing.

#ifndef MULTIGRAD_SMALL_MAPS_H_
#define MULTIGRAD_SMALL_MAPS_H_

#include "kernel_call.h"

namespace multigrad {

// A vector of so many numbers, at any address.
template <size_t L>
struct Vector {
  static constexpr size_t kLength = L;
  typedef float Type __attribute__((vector_size(4 * L), aligned(4)));
};

// Pixels that meet in one tap; each points to the pixel's channels.
struct Meeting {
  std::vector<float *> in, out;
};

static std::vector<Meeting> MeetingsOf(const Window &w, size_t outputs, float *in, float *out) {
  std::vector<Meeting> taps(w.kernelHeight * w.kernelWidth);
  for (size_t kh = 0; kh < w.kernelHeight; ++kh)
    for (size_t kw = 0; kw < w.kernelWidth; ++kw)
      for (size_t n = 0; n < w.batch; ++n)
        for (size_t i = 0; i < w.outHeight; ++i)
          for (size_t j = 0; j < w.outWidth; ++j) {
            const ptrdiff_t row = static_cast<ptrdiff_t>(i * w.strideHeight + kh) - w.top;
            const ptrdiff_t column = static_cast<ptrdiff_t>(j * w.strideWidth + kw) - w.left;
            if (row < 0 || row >= static_cast<ptrdiff_t>(w.height)) continue;
            if (column < 0 || column >= static_cast<ptrdiff_t>(w.width)) continue;
            const size_t h = static_cast<size_t>(row), v = static_cast<size_t>(column);
            Meeting &tap = taps[kh * w.kernelWidth + kw];
            tap.in.push_back(in + ((n * w.height + h) * w.width + v) * w.channels);
            tap.out.push_back(out + ((n * w.outHeight + i) * w.outWidth + j) * outputs);
          }
  return taps;
}

#define EACH_INLINE static inline __attribute__((always_inline)) void

// ---------------------------------------------------------------- forward

// out[r] += sum over depth of in[r][c] filter[c], for R pixels and P vectors of outputs.
template <size_t L, size_t R, size_t P>
EACH_INLINE AddProducts(const float *const *in, float *const *out, const float *filter, size_t from, size_t depth,
                        size_t outputs, size_t at) {
  typedef typename Vector<L>::Type V;
  V sums[R][P];
  for (size_t r = 0; r < R; ++r)
    for (size_t p = 0; p < P; ++p) sums[r][p] = *reinterpret_cast<const V *>(out[r] + at + p * L);
  for (size_t c = from; c < from + depth; ++c) {
    V factors[P];
    for (size_t p = 0; p < P; ++p) factors[p] = *reinterpret_cast<const V *>(filter + c * outputs + at + p * L);
    for (size_t r = 0; r < R; ++r) {
      const float x = in[r][c];
      for (size_t p = 0; p < P; ++p) sums[r][p] += factors[p] * x;
    }
  }
  for (size_t r = 0; r < R; ++r)
    for (size_t p = 0; p < P; ++p) *reinterpret_cast<V *>(out[r] + at + p * L) = sums[r][p];
}

template <size_t L, size_t P>
EACH_INLINE AddTap(const Meeting &tap, const float *filter, size_t from, size_t depth, size_t outputs, size_t at) {
  const float *const *in = tap.in.data();
  float *const *out = tap.out.data();
  size_t left = tap.in.size();
  for (; left >= 6; left -= 6, in += 6, out += 6) AddProducts<L, 6, P>(in, out, filter, from, depth, outputs, at);
  switch (left) {
    case 5: return AddProducts<L, 5, P>(in, out, filter, from, depth, outputs, at);
    case 4: return AddProducts<L, 4, P>(in, out, filter, from, depth, outputs, at);
    case 3: return AddProducts<L, 3, P>(in, out, filter, from, depth, outputs, at);
    case 2: return AddProducts<L, 2, P>(in, out, filter, from, depth, outputs, at);
    case 1: return AddProducts<L, 1, P>(in, out, filter, from, depth, outputs, at);
  }
}

// ---------------------------------------------------------------- gradient of the input

// dx[r][c] += <dy[r], filter[c]> for R pixels and C channels from `at` on.
template <size_t L, size_t R, size_t C>
EACH_INLINE AddDots(float *const *dx, const float *const *dy, const float *filter, size_t outputs, size_t at) {
  typedef typename Vector<L>::Type V;
  V sums[R][C] = {};
  for (size_t o = 0; o < outputs; o += L) {
    V factors[C];
    for (size_t c = 0; c < C; ++c) factors[c] = *reinterpret_cast<const V *>(filter + (at + c) * outputs + o);
    for (size_t r = 0; r < R; ++r) {
      const V d = *reinterpret_cast<const V *>(dy[r] + o);
      for (size_t c = 0; c < C; ++c) sums[r][c] += d * factors[c];
    }
  }
  for (size_t r = 0; r < R; ++r)
    for (size_t c = 0; c < C; ++c) {
      float part[L];
      *reinterpret_cast<V *>(part) = sums[r][c];
      for (size_t half = L / 2; half > 0; half /= 2)
        for (size_t k = 0; k < half; ++k) part[k] += part[k + half];
      dx[r][at + c] += part[0];
    }
}

template <size_t L, size_t R, size_t C>
EACH_INLINE AddTapGradient(const Meeting &tap, const float *filter, size_t outputs, size_t at) {
  float *const *dx = tap.in.data();
  const float *const *dy = tap.out.data();
  size_t left = tap.in.size();
  for (; left >= R; left -= R, dx += R, dy += R) AddDots<L, R, C>(dx, dy, filter, outputs, at);
  for (; left > 0; --left, ++dx, ++dy) AddDots<L, 1, C>(dx, dy, filter, outputs, at);
}

// ---------------------------------------------------------------- gradient of the filter

// dFilter[c] = sum over pairs of x[c] dy, for C channels from `from` on and P vectors of outputs.
template <size_t L, size_t C, size_t P>
EACH_INLINE SumOuterProducts(const Meeting &tap, float *filter, size_t from, size_t outputs, size_t at) {
  typedef typename Vector<L>::Type V;
  V sums[C][P] = {};
  for (size_t pair = 0; pair < tap.in.size(); ++pair) {
    V d[P];
    for (size_t p = 0; p < P; ++p) d[p] = *reinterpret_cast<const V *>(tap.out[pair] + at + p * L);
    for (size_t c = 0; c < C; ++c) {
      const float x = tap.in[pair][from + c];
      for (size_t p = 0; p < P; ++p) sums[c][p] += d[p] * x;
    }
  }
  for (size_t c = 0; c < C; ++c)
    for (size_t p = 0; p < P; ++p) *reinterpret_cast<V *>(filter + (from + c) * outputs + at + p * L) = sums[c][p];
}

// ---------------------------------------------------------------- registers of this processor

// Numbers of outputs that the loops take at once; counts of outputs are multiples of it, counts of channels of 4.
constexpr size_t kPanel = 64;
// Channels whose part of the filter is read while it is in the nearest cache.
constexpr size_t kDepth = 64;

// A panel of outputs at every tap.
template <size_t L, size_t P>
EACH_INLINE Panel(const std::vector<Meeting> &taps, const float *filter, size_t channels, size_t outputs, size_t at) {
  for (size_t tap = 0; tap < taps.size(); ++tap)
    for (size_t from = 0; from < channels; from += kDepth)
      for (size_t o = at; o < at + kPanel; o += L * P)
        AddTap<L, P>(taps[tap], filter + tap * channels * outputs, from, std::min(kDepth, channels - from), outputs, o);
}

template <size_t L, size_t R, size_t C>
EACH_INLINE FourChannels(const std::vector<Meeting> &taps, const float *filter, size_t channels, size_t outputs, size_t at) {
  for (size_t tap = 0; tap < taps.size(); ++tap)
    for (size_t c = at; c < at + 4; c += C)
      AddTapGradient<L, R, C>(taps[tap], filter + tap * channels * outputs, outputs, c);
}

template <size_t L, size_t C, size_t P>
EACH_INLINE FourRows(const Meeting &tap, float *filter, size_t outputs, size_t from) {
  for (size_t c = from; c < from + 4; c += C)
    for (size_t o = 0; o < outputs; o += L * P) SumOuterProducts<L, C, P>(tap, filter, c, outputs, o);
}

#if defined(__x86_64__)

// 32 registers of 16 numbers, or 16 of 8.
#define WITH_AVX512 __attribute__((target("arch=x86-64-v4")))
#define WITH_AVX2 __attribute__((target("arch=x86-64-v3")))

WITH_AVX512 static void Panel512(const std::vector<Meeting> &taps, const float *filter, size_t channels, size_t outputs,
                                 size_t at) {
  Panel<16, 4>(taps, filter, channels, outputs, at);
}
WITH_AVX2 static void Panel256(const std::vector<Meeting> &taps, const float *filter, size_t channels, size_t outputs,
                               size_t at) {
  Panel<8, 2>(taps, filter, channels, outputs, at);
}
WITH_AVX512 static void FourChannels512(const std::vector<Meeting> &taps, const float *filter, size_t channels,
                                        size_t outputs, size_t at) {
  FourChannels<16, 4, 4>(taps, filter, channels, outputs, at);
}
WITH_AVX2 static void FourChannels256(const std::vector<Meeting> &taps, const float *filter, size_t channels,
                                      size_t outputs, size_t at) {
  FourChannels<8, 4, 2>(taps, filter, channels, outputs, at);
}
WITH_AVX512 static void FourRows512(const Meeting &tap, float *filter, size_t outputs, size_t from) {
  FourRows<16, 4, 4>(tap, filter, outputs, from);
}
WITH_AVX2 static void FourRows256(const Meeting &tap, float *filter, size_t outputs, size_t from) {
  FourRows<8, 4, 2>(tap, filter, outputs, from);
}

static const bool kHas512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                            __builtin_cpu_supports("avx512cd");

static bool HasSmallMaps() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

#define BY_REGISTERS(name) (kHas512 ? name##512 : name##256)

// ---------------------------------------------------------------- kernels

// Inputs: x, filter. Numbers: the window, outputs.
static void SmallMapConvolution(Call &call) {
  const Window w = WindowOf(call);
  const size_t outputs = call.Count(12);
  const View y = call.outputs[0];
  std::fill_n(y.values, y.size, 0.0f);
  const std::vector<Meeting> taps = MeetingsOf(w, outputs, call.inputs[0].values, y.values);
  const auto panel = BY_REGISTERS(Panel);
  call.pool.Run(outputs / kPanel, [&](size_t begin, size_t end) {
    for (size_t o = begin; o < end; ++o) panel(taps, call.inputs[1].values, w.channels, outputs, o * kPanel);
  });
}

// Inputs: dy, filter. Numbers: the window, outputs.
static void SmallMapInputGradient(Call &call) {
  const Window w = WindowOf(call);
  const size_t outputs = call.Count(12);
  const View dx = call.outputs[0];
  std::fill_n(dx.values, dx.size, 0.0f);
  const std::vector<Meeting> taps = MeetingsOf(w, outputs, dx.values, call.inputs[0].values);
  const auto four = BY_REGISTERS(FourChannels);
  call.pool.Run(w.channels / 4, [&](size_t begin, size_t end) {
    for (size_t c = begin; c < end; ++c) four(taps, call.inputs[1].values, w.channels, outputs, c * 4);
  });
}

// Inputs: x, dy. Numbers: the window, outputs.
static void SmallMapFilterGradient(Call &call) {
  const Window w = WindowOf(call);
  const size_t outputs = call.Count(12), blocks = w.channels / 4;
  const std::vector<Meeting> taps = MeetingsOf(w, outputs, call.inputs[0].values, call.inputs[1].values);
  const auto four = BY_REGISTERS(FourRows);
  call.pool.Run(taps.size() * blocks, [&](size_t begin, size_t end) {
    for (size_t block = begin; block < end; ++block) {
      const size_t tap = block / blocks;
      four(taps[tap], call.outputs[0].values + tap * w.channels * outputs, outputs, block % blocks * 4);
    }
  });
}

#endif  // __x86_64__

}  // namespace multigrad

#endif  // MULTIGRAD_SMALL_MAPS_H_
