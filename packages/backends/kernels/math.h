// Elementary functions, there being no libm.
#pragma once
#include "common.h"

// e^x for 4 numbers to about 1e-7 relative: 2^n times a polynomial on [-ln2/2, ln2/2], the best of its degree. Below -87.3,
// where float32 has no normal numbers, it is 0; above 88.3 it is e^88.3. NaN stays.
INLINE v128_t exp4(v128_t x) {
  v128_t lowest = wasm_f32x4_const_splat(-87.33654f), shift = wasm_f32x4_const_splat(12582912.0f);
  // These two keep a NaN of their first argument, and are one instruction each.
  v128_t kept = wasm_f32x4_pmax(wasm_f32x4_pmin(x, wasm_f32x4_const_splat(88.37f)), lowest);
  // Adding 1.5 * 2^23 rounds to an integer, which is then in the lowest bits.
  v128_t shifted = mul_add(shift, kept, wasm_f32x4_const_splat(1.44269504088896341f)), n = wasm_f32x4_sub(shifted, shift);
  // ln 2 in two parts, the first with few bits: n * part is exact.
  v128_t r = mul_add(kept, n, wasm_f32x4_const_splat(-0.693359375f));
  r = mul_add(r, n, wasm_f32x4_const_splat(2.12194440e-4f));
  v128_t p = mul_add(wasm_f32x4_const_splat(0.008368722f), r, wasm_f32x4_const_splat(0.0013817106f));
  p = mul_add(wasm_f32x4_const_splat(0.04166835f), p, r);
  p = mul_add(wasm_f32x4_const_splat(0.16666521f), p, r);
  p = mul_add(wasm_f32x4_const_splat(0.49999994f), p, r);
  p = mul_add(r, wasm_f32x4_mul(r, r), p);
  p = wasm_f32x4_add(p, wasm_f32x4_const_splat(1));
  v128_t power = wasm_i32x4_shl(wasm_i32x4_add(shifted, wasm_i32x4_const_splat(127)), 23);
  return wasm_v128_andnot(wasm_f32x4_mul(p, power), wasm_f32x4_lt(x, lowest));
}

// 1 / (1 + e^-x)
INLINE v128_t sigmoid4(v128_t x) {
  v128_t one = wasm_f32x4_const_splat(1);
  return wasm_f32x4_div(one, wasm_f32x4_add(one, exp4(wasm_f32x4_neg(x))));
}

// tanh(x) = 1 - 2 / (exp(2 x) + 1)
INLINE v128_t tanh4(v128_t x) {
  v128_t one = wasm_f32x4_const_splat(1), two = wasm_f32x4_const_splat(2);
  return wasm_f32x4_sub(one, wasm_f32x4_div(two, wasm_f32x4_add(exp4(wasm_f32x4_add(x, x)), one)));
}

INLINE float exp1(float x) { return wasm_f32x4_extract_lane(exp4(wasm_f32x4_splat(x)), 0); }

// e^x in float64 to about 1e-13 relative, for |x| < 700.
INLINE double exp_double(double x) {
  if (x != x) return x;
  if (x < -700) return 0;
  if (x > 700) return __builtin_inf();
  double n = __builtin_floor(x * 1.4426950408889634 + 0.5);
  double r = (x - n * 0.693145751953125) - n * 1.42860682030941723212e-6, p = 1;
  for (int i = 13; i >= 1; i--) p = 1 + p * r / i;
  union { unsigned long long bits; double value; } power = {(unsigned long long)((long long)n + 1023) << 52};
  return p * power.value;
}

// Natural logarithm of a positive, normal number, in float64 to about 1e-13.
INLINE double log_double(double x) {
  if (!(x > 0) || x - x != 0) return x == 0 ? -__builtin_inf() : x > 0 ? x : __builtin_nan("");
  union { double value; unsigned long long bits; } parts = {x};
  int exponent = (int)(parts.bits >> 52) - 1023;
  parts.bits = (parts.bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL;
  if (parts.value > 1.4142135623730951) parts.value *= 0.5, exponent++;
  double z = (parts.value - 1) / (parts.value + 1), square = z * z, series = 0;
  for (int i = 21; i >= 1; i -= 2) series = series * square + 1.0 / i;
  return exponent * 0.69314718055994530942 + 2 * z * series;
}
