// Updates of a variable from the gradients of several objectives and their weights, in one pass: the combined gradient
// stays in registers.
#include "jobs.h"

#define PIECE 8192

typedef struct {
  const float *variable, *slot0, *slot1;
  const float *const *rows;
  const float *weights;
  float *next, *nextSlot0, *nextSlot1;
  int count, size;
  float rate, momentum, decay;
  int nesterov;
  float beta1, beta2, epsilon, kept, correction1, correction2;
} Update;

// sum_k weights[k] * rows[k] + decay * variable, for 4 numbers from i on.
INLINE v128_t gradient4(const Update *u, int i, v128_t theta) {
  v128_t g = wasm_f32x4_mul(theta, wasm_f32x4_splat(u->decay));
  for (int k = 0; k < u->count; k++)
    g = mul_add(g, wasm_f32x4_splat(u->weights[k]), wasm_v128_load(u->rows[k] + i));
  return g;
}

INLINE float gradient1(const Update *u, int i, float theta) {
  float g = theta * u->decay;
  for (int k = 0; k < u->count; k++) g += u->weights[k] * u->rows[k][i];
  return g;
}

static void momentum_piece(const void *arguments, int index, Thread *self) {
  alive(self);
  const Update *u = arguments;
  int i = index * PIECE, last = min_int(u->size, i + PIECE);
  v128_t momentum = wasm_f32x4_splat(u->momentum), rate = wasm_f32x4_splat(-u->rate);
  for (; i + 4 <= last; i += 4) {
    v128_t theta = wasm_v128_load(u->variable + i), g = gradient4(u, i, theta);
    v128_t v = mul_add(g, momentum, wasm_v128_load(u->slot0 + i));
    wasm_v128_store(u->nextSlot0 + i, v);
    wasm_v128_store(u->next + i, mul_add(theta, rate, u->nesterov ? mul_add(g, momentum, v) : v));
  }
  for (; i < last; i++) {
    float theta = u->variable[i], g = gradient1(u, i, theta), v = u->momentum * u->slot0[i] + g;
    u->nextSlot0[i] = v;
    u->next[i] = theta - u->rate * (u->nesterov ? g + u->momentum * v : v);
  }
}

EXPORT void momentum_update(Job *job, const float *variable, const float *velocity, const float *const *rows,
                            const float *weights, float *next, float *nextVelocity, int count, int size, float rate,
                            float momentum, float decay, int nesterov) {
  Update u = {variable, velocity, 0, rows, weights, next, nextVelocity, 0, count, size, rate, momentum, decay,
              nesterov, 0, 0, 0, 0, 0, 0};
  PARALLEL(job, momentum_piece, u, (size + PIECE - 1) / PIECE);
}

static void adam_piece(const void *arguments, int index, Thread *self) {
  alive(self);
  const Update *u = arguments;
  int i = index * PIECE, last = min_int(u->size, i + PIECE);
  v128_t beta1 = wasm_f32x4_splat(u->beta1), beta2 = wasm_f32x4_splat(u->beta2);
  v128_t rest1 = wasm_f32x4_splat(1 - u->beta1), rest2 = wasm_f32x4_splat(1 - u->beta2);
  v128_t c1 = wasm_f32x4_splat(u->correction1), c2 = wasm_f32x4_splat(u->correction2);
  v128_t epsilon = wasm_f32x4_splat(u->epsilon), kept = wasm_f32x4_splat(u->kept), rate = wasm_f32x4_splat(u->rate);
  for (; i + 4 <= last; i += 4) {
    v128_t theta = wasm_v128_load(u->variable + i), g = gradient4(u, i, theta);
    v128_t m = mul_add(wasm_f32x4_mul(wasm_v128_load(u->slot0 + i), beta1), rest1, g);
    v128_t s = mul_add(wasm_f32x4_mul(wasm_v128_load(u->slot1 + i), beta2), rest2, wasm_f32x4_mul(g, g));
    v128_t root = wasm_f32x4_add(wasm_f32x4_sqrt(wasm_f32x4_div(s, c2)), epsilon);
    v128_t change = wasm_f32x4_div(wasm_f32x4_div(m, c1), root);
    wasm_v128_store(u->nextSlot0 + i, m);
    wasm_v128_store(u->nextSlot1 + i, s);
    wasm_v128_store(u->next + i, wasm_f32x4_sub(wasm_f32x4_mul(theta, kept), wasm_f32x4_mul(rate, change)));
  }
  for (; i < last; i++) {
    float theta = u->variable[i], g = gradient1(u, i, theta);
    float m = u->beta1 * u->slot0[i] + (1 - u->beta1) * g, s = u->beta2 * u->slot1[i] + (1 - u->beta2) * g * g;
    u->nextSlot0[i] = m;
    u->nextSlot1[i] = s;
    u->next[i] = theta * u->kept - u->rate * (m / u->correction1) / (__builtin_sqrtf(s / u->correction2) + u->epsilon);
  }
}

EXPORT void adam_update(Job *job, const float *variable, const float *mean, const float *square,
                        const float *const *rows, const float *weights, float *next, float *nextMean,
                        float *nextSquare, int count, int size, float rate, float decay, float beta1, float beta2,
                        float epsilon, float kept, float correction1, float correction2) {
  Update u = {variable, mean, square, rows, weights, next, nextMean, nextSquare, count, size, rate, 0, decay, 0,
              beta1, beta2, epsilon, kept, correction1, correction2};
  PARALLEL(job, adam_piece, u, (size + PIECE - 1) / PIECE);
}
