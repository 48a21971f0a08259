// Elementary functions that compilers turn into loops over vectors. Part of multigrad.cc, which includes it.

#ifndef MULTIGRAD_VECTOR_MATH_H_
#define MULTIGRAD_VECTOR_MATH_H_

#include <cstdint>
#include <cstring>

namespace multigrad {

#define EACH_NUMBER static inline __attribute__((always_inline)) float

// e^x to about 1e-7 relative: 2^n times a polynomial on [-ln2/2, ln2/2]; x is kept between -87 and 88. NaN stays.
EACH_NUMBER Exp(float x) {
  float kept = x < -87.0f ? -87.0f : x;
  kept = kept > 88.0f ? 88.0f : kept;
  // Adding and taking away 1.5 * 2^23 rounds to an integer.
  const float n = (kept * 1.44269504088896341f + 12582912.0f) - 12582912.0f;
  float r = kept - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r * r + r + 1.0f;
  const int32_t bits = (static_cast<int32_t>(n) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof(power));
  return p * power;
}

EACH_NUMBER Sigmoid(float x) { return 1.0f / (1.0f + Exp(-x)); }

// tanh(x) = 1 - 2 / (exp(2 x) + 1)
EACH_NUMBER Tanh(float x) { return 1.0f - 2.0f / (Exp(2.0f * x) + 1.0f); }

// The normal distribution function: half of erfc(z), z = -x / sqrt 2. `bell` is e^(-z^2). erfc(|z|) is `bell` times a
// polynomial in t = 1 / (1 + |z| / 2), which we fitted to a relative error of 5e-8.
EACH_NUMBER NormalDistribution(float x, float bell) {
  const float z = (x < 0 ? -x : x) * 0.70710678118654752f;
  const float t = 1.0f / (1.0f + 0.5f * z);
  float p = -0.05906885f;
  p = p * t + 0.28457454f;
  p = p * t - 0.48719925f;
  p = p * t + 0.27806664f;
  p = p * t - 0.026625456f;
  p = p * t + 0.20268683f;
  p = p * t + 0.24310376f;
  p = p * t + 0.28237531f;
  p = p * t + 0.28208643f;
  const float tail = 0.5f * t * p * bell;
  return x < 0 ? tail : 1.0f - tail;
}

}  // namespace multigrad

#endif  // MULTIGRAD_VECTOR_MATH_H_
