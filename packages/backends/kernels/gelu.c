// GELU and its gradient, exact (by the normal distribution function) and approximate (by tanh), and dropout.
#include "jobs.h"
#include "math.h"

INLINE v128_t splat(float x) { return wasm_f32x4_splat(x); }
INLINE v128_t mul(v128_t a, v128_t b) { return wasm_f32x4_mul(a, b); }
INLINE v128_t add(v128_t a, v128_t b) { return wasm_f32x4_add(a, b); }

// The normal distribution function: half of erfc(z), z = -x / sqrt 2. `bell` is e^(-z^2). erfc(|z|) is `bell` times a
// polynomial in t = 1 / (1 + |z| / 2), which we fitted to a relative error of 5e-8.
INLINE v128_t normal_distribution(v128_t x, v128_t bell) {
  v128_t z = mul(wasm_f32x4_abs(x), splat(0.70710678118654752f));
  v128_t t = wasm_f32x4_div(splat(1), mul_add(splat(1), z, splat(0.5f)));
  v128_t p = mul_add(splat(0.28457454f), t, splat(-0.05906885f));
  p = mul_add(splat(-0.48719925f), p, t);
  p = mul_add(splat(0.27806664f), p, t);
  p = mul_add(splat(-0.026625456f), p, t);
  p = mul_add(splat(0.20268683f), p, t);
  p = mul_add(splat(0.24310376f), p, t);
  p = mul_add(splat(0.28237531f), p, t);
  p = mul_add(splat(0.28208643f), p, t);
  v128_t tail = mul(mul(splat(0.5f), mul(t, p)), bell);
  return wasm_v128_bitselect(tail, wasm_f32x4_sub(splat(1), tail), wasm_f32x4_lt(x, zero4()));
}

INLINE v128_t bell(v128_t x) { return exp4(mul(splat(-0.5f), mul(x, x))); }

INLINE v128_t value(v128_t x, int approximate) {
  if (!approximate) return mul(x, normal_distribution(x, bell(x)));
  v128_t cubic = mul(x, add(splat(1), mul(splat(0.044715f), mul(x, x))));
  return mul(mul(splat(0.5f), x), add(splat(1), tanh4(mul(splat(0.79788456080286536f), cubic))));
}

INLINE v128_t slope(v128_t x, int approximate) {
  v128_t square = mul(x, x);
  if (!approximate) {
    v128_t e = bell(x);
    return mul_add(normal_distribution(x, e), x, mul(splat(0.39894228040143268f), e));
  }
  v128_t t = tanh4(mul(splat(0.79788456080286536f), mul(x, add(splat(1), mul(splat(0.044715f), square)))));
  v128_t inner = mul(splat(0.79788456080286536f), add(splat(1), mul(splat(3 * 0.044715f), square)));
  v128_t bend = mul(mul(splat(0.5f), x), mul(wasm_f32x4_sub(splat(1), mul(t, t)), inner));
  return add(mul(splat(0.5f), add(splat(1), t)), bend);
}

typedef struct {
  const float *dy, *x;  // dy is null for the value
  float *out;
  int size, approximate;
} Gelu;

#define PIECE 4096

INLINE v128_t gelu4(const Gelu *g, v128_t x, v128_t dy) {
  return g->dy ? mul(dy, slope(x, g->approximate)) : value(x, g->approximate);
}

static void gelu_piece(const void *arguments, int index, Thread *self) {
  alive(self);
  const Gelu *g = arguments;
  int i = index * PIECE, last = min_int(g->size, i + PIECE);
  for (; i + 4 <= last; i += 4)
    wasm_v128_store(g->out + i, gelu4(g, wasm_v128_load(g->x + i), g->dy ? wasm_v128_load(g->dy + i) : zero4()));
  for (; i < last; i++)
    g->out[i] = wasm_f32x4_extract_lane(gelu4(g, splat(g->x[i]), g->dy ? splat(g->dy[i]) : zero4()), 0);
}

EXPORT void gelu(Job *job, const float *dy, const float *x, float *out, int size, int approximate) {
  Gelu g = {dy, x, out, size, approximate};
  PARALLEL(job, gelu_piece, g, (size + PIECE - 1) / PIECE);
}

// The hash of core's seeded-uniform.ts.
INLINE v128_t mix(v128_t h) {
  h = wasm_i32x4_mul(wasm_v128_xor(h, wasm_u32x4_shr(h, 16)), wasm_i32x4_const_splat(0x21f0aaad));
  h = wasm_i32x4_mul(wasm_v128_xor(h, wasm_u32x4_shr(h, 15)), wasm_i32x4_const_splat(0x735a2d97));
  return wasm_v128_xor(h, wasm_u32x4_shr(h, 15));
}

// out = x / (1 - rate) where the uniform number is >= rate, else 0.
EXPORT void dropout(const float *x, float *out, int size, float rate, int high, int low) {
  v128_t key = wasm_i32x4_splat(low), more = wasm_i32x4_splat(high), factor = splat(1 / (1 - rate));
  for (int i = 0; i < size; i += 4) {
    v128_t index = wasm_i32x4_add(wasm_i32x4_splat(i), wasm_i32x4_const(0, 1, 2, 3));
    v128_t bits = wasm_u32x4_shr(mix(wasm_i32x4_add(mix(wasm_v128_xor(index, key)), more)), 8);
    v128_t uniform = mul(wasm_f32x4_convert_i32x4(bits), splat(1.0f / 16777216));
    v128_t kept = wasm_f32x4_ge(uniform, splat(rate));
    if (i + 4 <= size) {
      wasm_v128_store(out + i, wasm_v128_and(mul(wasm_v128_load(x + i), factor), kept));
      continue;
    }
    int mask[4];
    wasm_v128_store(mask, kept);
    for (int k = 0; i + k < size; k++) out[i + k] = mask[k] ? x[i + k] * (1 / (1 - rate)) : 0;
  }
}
