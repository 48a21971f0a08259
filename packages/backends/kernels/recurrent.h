// What recurrent layers share: gates of four units at a time, and vectors whose length is no multiple of 4.
#pragma once
#include "dense.h"
#include "jobs.h"
#include "math.h"

// Samples of one piece of work, which runs through all steps of a sequence: samples do not depend on each other.
#define SAMPLES 8

// Loads up to 4 numbers; those beyond `left` are zero.
INLINE v128_t load_some(const float *from, int left) {
  if (left >= 4) return wasm_v128_load(from);
  float some[4] = {from[0], left > 1 ? from[1] : 0, left > 2 ? from[2] : 0, 0};
  return wasm_v128_load(some);
}

INLINE void store_some(float *to, v128_t value, int left) {
  if (left >= 4) {
    wasm_v128_store(to, value);
    return;
  }
  float some[4];
  wasm_v128_store(some, value);
  for (int i = 0; i < left; i++) to[i] = some[i];
}

// The sigmoid, or with `hard` the number x / 5 + 1 / 2 kept between 0 and 1.
INLINE v128_t gate4(v128_t x, int hard) {
  if (!hard) return sigmoid4(x);
  v128_t line = wasm_f32x4_add(wasm_f32x4_mul(x, wasm_f32x4_const_splat(0.2f)), wasm_f32x4_const_splat(0.5f));
  return wasm_f32x4_min(wasm_f32x4_max(line, zero4()), wasm_f32x4_const_splat(1));
}

// dy times the slope of gate4, from its value.
INLINE v128_t gate_gradient4(v128_t dy, v128_t y, int hard) {
  v128_t one = wasm_f32x4_const_splat(1);
  if (!hard) return wasm_f32x4_mul(dy, wasm_f32x4_mul(y, wasm_f32x4_sub(one, y)));
  v128_t inside = wasm_v128_and(wasm_f32x4_gt(y, zero4()), wasm_f32x4_lt(y, one));
  return wasm_v128_and(wasm_f32x4_mul(dy, wasm_f32x4_const_splat(0.2f)), inside);
}

INLINE v128_t tanh_gradient4(v128_t dy, v128_t y) {
  return wasm_f32x4_mul(dy, wasm_f32x4_sub(wasm_f32x4_const_splat(1), wasm_f32x4_mul(y, y)));
}

// from + mask * (to - from)
INLINE v128_t moved4(v128_t from, v128_t to, v128_t mask) {
  return mul_add(from, mask, wasm_f32x4_sub(to, from));
}

// Begins a step: copies the states before it to `before`, and the sums of its `parts` gates to `gates`. `first` is the first
// of `many` samples, `sample` how many numbers of `states` one has.
INLINE void begin_step(const float *sums, const float *h, const float *states, float *before, float *gates, int first,
                       int many, int t, int parts, int units, size_t sample) {
  for (int n = first; n < first + many; n++) {
    size_t here = n * sample + (size_t)t * units;
    copy(before + here, t > 0 ? states + here - units : h + (size_t)n * units, units);
    copy(gates + parts * here, sums + parts * here, parts * units);
  }
}
