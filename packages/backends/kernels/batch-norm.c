// Batch normalisation with the statistics of the batch, and its gradients. The last axis holds the channels. A few rows at
// a time are added up in float32, and each such sum is added to a total in float64.
#include "common.h"

// How many rows are added up in float32 before the sum is added to the float64 total.
#define CHAIN 16

// sums[c] = sum over rows of x (or of x * other), sums of float64. `shift` (may be null) is subtracted first.
static void channel_sums(const float *x, const float *shift, const float *other, double *sums, int rows, int channels) {
  for (int c = 0; c < channels; c++) sums[c] = 0;
  for (int first = 0; first < rows; first += CHAIN) {
    int last = min_int(rows, first + CHAIN), c = 0;
    for (; c + 4 <= channels; c += 4) {
      v128_t total = zero4(), s = shift ? wasm_v128_load(shift + c) : zero4();
      for (int row = first; row < last; row++) {
        v128_t value = wasm_f32x4_sub(wasm_v128_load(x + (size_t)row * channels + c), s);
        if (other) value = wasm_f32x4_mul(value, wasm_v128_load(other + (size_t)row * channels + c));
        total = wasm_f32x4_add(total, value);
      }
      float part[4];
      wasm_v128_store(part, total);
      for (int k = 0; k < 4; k++) sums[c + k] += part[k];
    }
    for (; c < channels; c++)
      for (int row = first; row < last; row++) {
        double value = (double)x[(size_t)row * channels + c] - (shift ? shift[c] : 0);
        sums[c] += other ? value * other[(size_t)row * channels + c] : value;
      }
  }
}

// Sums of x - center and of its square, both float64.
static void channel_moments(const float *x, const float *center, double *sums, double *squares, int rows,
                            int channels) {
  for (int c = 0; c < channels; c++) sums[c] = squares[c] = 0;
  for (int first = 0; first < rows; first += CHAIN) {
    int last = min_int(rows, first + CHAIN), c = 0;
    for (; c + 4 <= channels; c += 4) {
      v128_t total = zero4(), square = zero4(), s = wasm_v128_load(center + c);
      for (int row = first; row < last; row++) {
        v128_t value = wasm_f32x4_sub(wasm_v128_load(x + (size_t)row * channels + c), s);
        total = wasm_f32x4_add(total, value);
        square = mul_add(square, value, value);
      }
      float part[8];
      wasm_v128_store(part, total);
      wasm_v128_store(part + 4, square);
      for (int k = 0; k < 4; k++) sums[c + k] += part[k], squares[c + k] += part[4 + k];
    }
    for (; c < channels; c++)
      for (int row = first; row < last; row++) {
        double value = (double)x[(size_t)row * channels + c] - center[c];
        sums[c] += value;
        squares[c] += value * value;
      }
  }
}

// out = (x - mean[c]) * q[c] + r[c], plus a * p[c] where there is an a. The mean is subtracted first: the difference is
// small, and little is lost by rounding.
static void channel_affine(const float *x, const float *mean, const float *q, const float *r, const float *a,
                           const float *p, float *out, int rows, int channels) {
  for (int row = 0; row < rows; row++, x += channels, out += channels) {
    int c = 0;
    for (; c + 4 <= channels; c += 4) {
      v128_t centred = wasm_f32x4_sub(wasm_v128_load(x + c), wasm_v128_load(mean + c));
      v128_t value = mul_add(wasm_v128_load(r + c), centred, wasm_v128_load(q + c));
      if (a) value = mul_add(value, wasm_v128_load(a + c), wasm_v128_load(p + c));
      wasm_v128_store(out + c, value);
    }
    for (; c < channels; c++) out[c] = (x[c] - mean[c]) * q[c] + r[c] + (a ? a[c] * p[c] : 0);
    if (a) a += channels;
  }
}

// `scratch`: 2 * channels doubles and 3 * channels floats.
EXPORT void batch_norm_training(const float *x, const float *scale, const float *offset, float *y, float *mean,
                                float *variance, float *inverse, double *scratch, int rows, int channels,
                                float epsilon) {
  double *sums = scratch, *squares = sums + channels;
  float *center = (float *)(squares + channels), *q = center + channels, *r = q + channels;
  channel_sums(x, 0, 0, sums, rows, channels);
  for (int c = 0; c < channels; c++) center[c] = (float)(sums[c] / rows);
  channel_moments(x, center, sums, squares, rows, channels);
  for (int c = 0; c < channels; c++) {
    // `center` is the mean, rounded. `rest` is the mean of x - center: the sum of center and rest is the exact mean but for
    // the rounding of small numbers.
    double rest = sums[c] / rows, own = squares[c] / rows - rest * rest;
    double factor = 1 / __builtin_sqrt((own > 0 ? own : 0) + epsilon);
    mean[c] = (float)(center[c] + rest);
    variance[c] = (float)(own > 0 ? own : 0);
    inverse[c] = (float)factor;
    q[c] = (float)(scale[c] * factor);
    r[c] = (float)(offset[c] - rest * q[c]);
  }
  channel_affine(x, center, q, r, 0, 0, y, rows, channels);
}

// `scratch`: 2 * channels doubles and 3 * channels floats.
EXPORT void batch_norm_training_gradient(const float *dy, const float *x, const float *scale, const float *mean,
                                         const float *inverse, float *dx, float *dScale, float *dOffset,
                                         double *scratch, int rows, int channels) {
  double *plain = scratch, *mixed = plain + channels;
  float *p = (float *)(mixed + channels), *q = p + channels, *r = q + channels;
  channel_sums(dy, 0, 0, plain, rows, channels);
  channel_sums(x, mean, dy, mixed, rows, channels);
  for (int c = 0; c < channels; c++) {
    double slope = mixed[c] * inverse[c], factor = (double)scale[c] * inverse[c];
    dOffset[c] = (float)plain[c];
    dScale[c] = (float)slope;
    p[c] = (float)factor;
    q[c] = (float)(-factor * inverse[c] * slope / rows);
    r[c] = (float)(-factor * plain[c] / rows);
  }
  channel_affine(x, mean, q, r, dy, p, dx, rows, channels);
}

// `scratch`: 2 * channels doubles and 2 * channels floats.
EXPORT void batch_norm_inference_gradient(const float *dy, const float *x, const float *mean, const float *variance,
                                          const float *scale, float *dx, float *dMean, float *dVariance,
                                          float *dScale, float *dOffset, double *scratch, int rows, int channels,
                                          float epsilon) {
  double *plain = scratch, *mixed = plain + channels;
  float *q = (float *)(mixed + channels), *zero = q + channels;
  channel_sums(dy, 0, 0, plain, rows, channels);
  channel_sums(x, mean, dy, mixed, rows, channels);
  for (int c = 0; c < channels; c++) {
    double inverse = 1 / __builtin_sqrt((double)variance[c] + epsilon);
    dOffset[c] = (float)plain[c];
    dScale[c] = (float)(mixed[c] * inverse);
    dMean[c] = (float)(-scale[c] * inverse * plain[c]);
    dVariance[c] = (float)(-0.5 * scale[c] * inverse * inverse * inverse * mixed[c]);
    q[c] = (float)(scale[c] * inverse);
    zero[c] = 0;
  }
  channel_affine(dy, zero, q, zero, 0, 0, dx, rows, channels);
}
