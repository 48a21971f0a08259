// Gradients of activations, each one pass.
#include "jobs.h"

INLINE v128_t splat(float x) { return wasm_f32x4_splat(x); }

enum { RELU, RELU6, LEAKY_RELU, ELU, SIGMOID, TANH };

INLINE v128_t gradient(int kind, v128_t dy, v128_t v, v128_t alpha) {
  switch (kind) {
    case RELU: return wasm_v128_and(dy, wasm_f32x4_gt(v, zero4()));
    case RELU6: return wasm_v128_and(dy, wasm_v128_and(wasm_f32x4_gt(v, zero4()), wasm_f32x4_le(v, splat(6))));
    case LEAKY_RELU: return wasm_v128_bitselect(dy, wasm_f32x4_mul(dy, alpha), wasm_f32x4_gt(v, zero4()));
    case ELU:
      return wasm_v128_bitselect(dy, wasm_f32x4_mul(dy, wasm_f32x4_add(v, splat(1))), wasm_f32x4_ge(v, zero4()));
    case SIGMOID: return wasm_f32x4_mul(dy, wasm_f32x4_mul(v, wasm_f32x4_sub(splat(1), v)));
    default: return wasm_f32x4_mul(dy, wasm_f32x4_sub(splat(1), wasm_f32x4_mul(v, v)));
  }
}

INLINE void each(int kind, const float *dy, const float *value, float *dx, int size, float alpha) {
  v128_t a = splat(alpha);
  int i = 0;
  for (; i + 4 <= size; i += 4)
    wasm_v128_store(dx + i, gradient(kind, wasm_v128_load(dy + i), wasm_v128_load(value + i), a));
  for (; i < size; i++) dx[i] = wasm_f32x4_extract_lane(gradient(kind, splat(dy[i]), splat(value[i]), a), 0);
}

typedef struct {
  int kind;
  const float *dy, *value;
  float *dx;
  int size;
  float alpha;
} Activation;

// How many numbers one piece of work has.
#define PIECE 16384

static void activation_piece(const void *arguments, int index, Thread *self) {
  alive(self);
  const Activation *a = arguments;
  int first = index * PIECE, size = min_int(PIECE, a->size - first);
  const float *dy = a->dy + first, *value = a->value + first;
  float *dx = a->dx + first, alpha = a->alpha;
  switch (a->kind) {
    case RELU: each(RELU, dy, value, dx, size, alpha); break;
    case RELU6: each(RELU6, dy, value, dx, size, alpha); break;
    case LEAKY_RELU: each(LEAKY_RELU, dy, value, dx, size, alpha); break;
    case ELU: each(ELU, dy, value, dx, size, alpha); break;
    case SIGMOID: each(SIGMOID, dy, value, dx, size, alpha); break;
    default: each(TANH, dy, value, dx, size, alpha);
  }
}

// dx = dy * slope(value). For some kinds `value` is the activation's input, for others its output.
EXPORT void activation_gradient(Job *job, int kind, const float *dy, const float *value, float *dx, int size,
                                float alpha) {
  Activation a = {kind, dy, value, dx, size, alpha};
  PARALLEL(job, activation_piece, a, (size + PIECE - 1) / PIECE);
}
