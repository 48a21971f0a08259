// Scaled dot-product attention of several heads, and its gradient. Heads lie side by side in the rows of queries, keys and
// values, so nothing is transposed. A piece of work takes some of the pairs of sample and head.
#include "dense.h"
#include "jobs.h"
#include "math.h"

typedef struct {
  const float *q, *k, *v, *mask, *dy, *p;  // mask is null where every key counts
  float *y, *probabilities, *dq, *dk, *dv, *scratch;
  int count, queries, keys, heads, width, pairs;  // width of one head; pairs in one piece
  size_t room;                                    // numbers of scratch for one piece
  float scale;
} Attention;

INLINE void clear_rows(float *to, size_t row, int rows, int columns) {
  for (int i = 0; i < rows; i++) clear(to + i * row, columns);
}

INLINE v128_t lowered(v128_t score, const float *mask, v128_t scale) {
  v128_t x = wasm_f32x4_mul(score, scale), one = wasm_f32x4_const_splat(1);
  if (!mask) return x;
  return wasm_f32x4_add(x, wasm_f32x4_mul(wasm_f32x4_sub(wasm_v128_load(mask), one), wasm_f32x4_const_splat(1e9f)));
}

INLINE float larger(float a, float b) { return b > a || b != b ? b : a; }

// Softmax of scale * scores, where `mask` is 0 lowered by 1e9; sums in float64. A NaN makes all NaN.
INLINE void softmax_row(float *row, const float *mask, float scale, int size) {
  v128_t most = wasm_f32x4_const_splat(-__builtin_inff()), factor = wasm_f32x4_splat(scale);
  int j = 0;
  for (; j + 4 <= size; j += 4) {
    v128_t x = lowered(wasm_v128_load(row + j), mask ? mask + j : 0, factor);
    wasm_v128_store(row + j, x);
    most = wasm_f32x4_max(most, x);
  }
  float part[4];
  wasm_v128_store(part, most);
  float largest = larger(larger(part[0], part[1]), larger(part[2], part[3]));
  for (; j < size; j++) {
    row[j] = row[j] * scale + (mask ? (mask[j] - 1) * 1e9f : 0);
    largest = larger(largest, row[j]);
  }
  most = wasm_f32x4_splat(largest);
  v128_t low = wasm_f64x2_const_splat(0), high = low;
  for (j = 0; j + 4 <= size; j += 4) {
    v128_t power = exp4(wasm_f32x4_sub(wasm_v128_load(row + j), most));
    wasm_v128_store(row + j, power);
    low = wasm_f64x2_add(low, low_pair(power));
    high = wasm_f64x2_add(high, high_pair(power));
  }
  low = wasm_f64x2_add(low, high);
  double total = wasm_f64x2_extract_lane(low, 0) + wasm_f64x2_extract_lane(low, 1);
  for (; j < size; j++) {
    row[j] = exp1(row[j] - largest);
    total += row[j];
  }
  float share = (float)(1 / total);
  v128_t inverse = wasm_f32x4_splat(share);
  for (j = 0; j + 4 <= size; j += 4) wasm_v128_store(row + j, wasm_f32x4_mul(wasm_v128_load(row + j), inverse));
  for (; j < size; j++) row[j] *= share;
}

// scores = scale * p (scores - sum of p scores); the sum in float64
INLINE void softmax_row_gradient(float *scores, const float *p, float scale, int size) {
  v128_t sums = wasm_f64x2_const_splat(0);
  int j = 0;
  for (; j + 4 <= size; j += 4) {
    v128_t s = wasm_v128_load(scores + j), q = wasm_v128_load(p + j);
    v128_t low = wasm_f64x2_mul(low_pair(s), low_pair(q)), high = wasm_f64x2_mul(high_pair(s), high_pair(q));
    sums = wasm_f64x2_add(sums, wasm_f64x2_add(low, high));
  }
  double total = wasm_f64x2_extract_lane(sums, 0) + wasm_f64x2_extract_lane(sums, 1);
  for (; j < size; j++) total += (double)scores[j] * p[j];
  v128_t shift = wasm_f32x4_splat((float)total), factor = wasm_f32x4_splat(scale);
  for (j = 0; j + 4 <= size; j += 4) {
    v128_t away = wasm_f32x4_sub(wasm_v128_load(scores + j), shift);
    wasm_v128_store(scores + j, wasm_f32x4_mul(wasm_f32x4_mul(wasm_v128_load(p + j), away), factor));
  }
  for (; j < size; j++) scores[j] = p[j] * (scores[j] - (float)total) * scale;
}

static void attention_piece(const void *arguments, int index, Thread *self) {
  const Attention *g = arguments;
  int keys = g->keys, queries = g->queries, width = g->width, last = min_int(g->count * g->heads, (index + 1) * g->pairs);
  size_t row = (size_t)g->heads * width;
  float *panels = g->scratch + index * g->room;
  for (int pair = index * g->pairs; pair < last; pair++) {
    alive(self);
    int n = pair / g->heads, head = pair - n * g->heads;
    size_t query = (size_t)n * queries * row + head * width, key = (size_t)n * keys * row + head * width;
    float *scores = g->probabilities + (size_t)pair * queries * keys;
    clear(scores, (size_t)queries * keys);
    pack_panels(g->k + key, 1, row, width, keys, panels);
    Factor q = {g->q + query, row, 1};
    add_product(q, panels, scores, keys, queries, keys, width);
    for (int i = 0; i < queries; i++)
      softmax_row(scores + (size_t)i * keys, g->mask ? g->mask + (size_t)n * keys : 0, g->scale, keys);
    alive(self);
    pack_panels(g->v + key, row, 1, keys, width, panels);
    clear_rows(g->y + query, row, queries, width);
    Factor p = {scores, keys, 1};
    add_product(p, panels, g->y + query, row, queries, width, keys);
  }
}

static void attention_gradient_piece(const void *arguments, int index, Thread *self) {
  const Attention *g = arguments;
  int keys = g->keys, queries = g->queries, width = g->width, last = min_int(g->count * g->heads, (index + 1) * g->pairs);
  size_t row = (size_t)g->heads * width;
  float *scores = g->scratch + index * g->room, *panels = scores + (size_t)queries * keys;
  for (int pair = index * g->pairs; pair < last; pair++) {
    alive(self);
    int n = pair / g->heads, head = pair - n * g->heads;
    size_t query = (size_t)n * queries * row + head * width, key = (size_t)n * keys * row + head * width;
    const float *p = g->p + (size_t)pair * queries * keys;
    clear(scores, (size_t)queries * keys);
    pack_panels(g->v + key, 1, row, width, keys, panels);
    Factor dy = {g->dy + query, row, 1};
    add_product(dy, panels, scores, keys, queries, keys, width);
    for (int i = 0; i < queries; i++) {
      float *s = scores + (size_t)i * keys;
      const float *own = p + (size_t)i * keys;
      softmax_row_gradient(s, own, g->scale, keys);
    }
    alive(self);
    pack_panels(g->k + key, row, 1, keys, width, panels);
    clear_rows(g->dq + query, row, queries, width);
    Factor across = {scores, keys, 1};
    add_product(across, panels, g->dq + query, row, queries, width, keys);
    alive(self);
    pack_panels(g->q + query, row, 1, queries, width, panels);
    clear_rows(g->dk + key, row, keys, width);
    Factor down = {scores, 1, keys};
    add_product(down, panels, g->dk + key, row, keys, width, queries);
    alive(self);
    pack_panels(g->dy + query, row, 1, queries, width, panels);
    clear_rows(g->dv + key, row, keys, width);
    Factor weights = {p, 1, keys};
    add_product(weights, panels, g->dv + key, row, keys, width, queries);
  }
}

// `scratch`: `room` numbers for each piece of `pairs` pairs, enough for the panels of keys, values and their transposes.
EXPORT void attention(Job *job, const float *q, const float *k, const float *v, const float *mask, float *y,
                      float *probabilities, float *scratch, int count, int queries, int keys, int heads, int width,
                      int pairs, int room, float scale) {
  Attention g = {.q = q, .k = k, .v = v, .mask = mask, .y = y, .probabilities = probabilities, .scratch = scratch,
                 .count = count, .queries = queries, .keys = keys, .heads = heads, .width = width, .pairs = pairs,
                 .room = room, .scale = scale};
  PARALLEL(job, attention_piece, g, (count * heads + pairs - 1) / pairs);
}

// `scratch` has room for queries * keys numbers more in each piece.
EXPORT void attention_gradient(Job *job, const float *dy, const float *q, const float *k, const float *v,
                               const float *p, float *dq, float *dk, float *dv, float *scratch, int count, int queries,
                               int keys, int heads, int width, int pairs, int room, float scale) {
  Attention g = {.dy = dy, .q = q, .k = k, .v = v, .p = p, .dq = dq, .dk = dk, .dv = dv, .scratch = scratch,
                 .count = count, .queries = queries, .keys = keys, .heads = heads, .width = width, .pairs = pairs,
                 .room = room, .scale = scale};
  PARALLEL(job, attention_gradient_piece, g, (count * heads + pairs - 1) / pairs);
}
