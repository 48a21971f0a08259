// Layer normalisation over the last axis, row by row; sums in float64. A piece of work takes `step` rows.
#include "jobs.h"

typedef struct {
  const float *x, *scale, *offset;
  float *y, *mean, *inverse;
  int rows, channels, step;
  float epsilon;
} LayerNorm;

INLINE double total(v128_t low, v128_t high) {
  v128_t both = wasm_f64x2_add(low, high);
  return wasm_f64x2_extract_lane(both, 0) + wasm_f64x2_extract_lane(both, 1);
}

INLINE v128_t square_on_top(v128_t sum, v128_t x, v128_t centre) {
  v128_t difference = wasm_f64x2_sub(x, centre);
  return wasm_f64x2_add(sum, wasm_f64x2_mul(difference, difference));
}

static void layer_norm_piece(const void *arguments, int index, Thread *self) {
  const LayerNorm *p = arguments;
  int channels = p->channels, whole = channels / 4 * 4;
  for (int row = index * p->step; row < min_int(p->rows, (index + 1) * p->step); row++) {
    alive(self);
    const float *x = p->x + (size_t)row * channels;
    float *y = p->y + (size_t)row * channels;
    v128_t low = zero4(), high = zero4();
    for (int c = 0; c < whole; c += 4) {
      v128_t values = wasm_v128_load(x + c);
      low = wasm_f64x2_add(low, low_pair(values));
      high = wasm_f64x2_add(high, high_pair(values));
    }
    double sum = total(low, high);
    for (int c = whole; c < channels; c++) sum += x[c];
    double centre = sum / channels;
    v128_t centres = wasm_f64x2_splat(centre);
    low = high = zero4();
    for (int c = 0; c < whole; c += 4) {
      v128_t values = wasm_v128_load(x + c);
      low = square_on_top(low, low_pair(values), centres);
      high = square_on_top(high, high_pair(values), centres);
    }
    double squares = total(low, high);
    for (int c = whole; c < channels; c++) squares += (x[c] - centre) * (x[c] - centre);
    float m = (float)centre, f = (float)(1 / __builtin_sqrt(squares / channels + p->epsilon));
    p->mean[row] = m;
    p->inverse[row] = f;
    for (int c = 0; c < channels; c++) y[c] = (x[c] - m) * f * p->scale[c] + p->offset[c];
  }
}

EXPORT void layer_norm(Job *job, const float *x, const float *scale, const float *offset, float *y, float *mean,
                       float *inverse, int rows, int channels, int step, float epsilon) {
  LayerNorm p = {x, scale, offset, y, mean, inverse, rows, channels, step, epsilon};
  PARALLEL(job, layer_norm_piece, p, (rows + step - 1) / step);
}

typedef struct {
  const float *dy, *x, *scale, *mean, *inverse;
  float *dx;
  double *sums;  // for each piece, the sums of its rows: channels numbers for the scale, as many for the offset
  int rows, channels, step;
} LayerNormGradient;

// Two channels of the sums over rows and over channels.
INLINE void add_pair(v128_t dy, v128_t scale, v128_t standard, double *slopes, double *shifts, v128_t *plain,
                     v128_t *mixed) {
  v128_t g = wasm_f64x2_mul(dy, scale);
  *plain = wasm_f64x2_add(*plain, g);
  *mixed = wasm_f64x2_add(*mixed, wasm_f64x2_mul(g, standard));
  wasm_v128_store(slopes, wasm_f64x2_add(wasm_v128_load(slopes), wasm_f64x2_mul(dy, standard)));
  wasm_v128_store(shifts, wasm_f64x2_add(wasm_v128_load(shifts), dy));
}

static void layer_norm_gradient_piece(const void *arguments, int index, Thread *self) {
  const LayerNormGradient *p = arguments;
  int channels = p->channels, whole = channels / 4 * 4;
  double *slopes = p->sums + (size_t)index * 2 * channels, *shifts = slopes + channels;
  for (int c = 0; c < 2 * channels; c++) slopes[c] = 0;
  for (int row = index * p->step; row < min_int(p->rows, (index + 1) * p->step); row++) {
    alive(self);
    const float *dy = p->dy + (size_t)row * channels, *x = p->x + (size_t)row * channels;
    float *dx = p->dx + (size_t)row * channels, m = p->mean[row], f = p->inverse[row];
    v128_t means = wasm_f32x4_splat(m), factors = wasm_f64x2_splat(f), plains = zero4(), mixes = zero4();
    for (int c = 0; c < whole; c += 4) {
      v128_t difference = wasm_f32x4_sub(wasm_v128_load(x + c), means);
      v128_t slope = wasm_v128_load(dy + c), scale = wasm_v128_load(p->scale + c);
      add_pair(low_pair(slope), low_pair(scale), wasm_f64x2_mul(low_pair(difference), factors), slopes + c, shifts + c,
               &plains, &mixes);
      add_pair(high_pair(slope), high_pair(scale), wasm_f64x2_mul(high_pair(difference), factors), slopes + c + 2,
               shifts + c + 2, &plains, &mixes);
    }
    double plain = total(plains, zero4()), mixed = total(mixes, zero4());
    for (int c = whole; c < channels; c++) {
      double standard = (double)(x[c] - m) * f, g = (double)dy[c] * p->scale[c];
      plain += g;
      mixed += g * standard;
      slopes[c] += dy[c] * standard;
      shifts[c] += dy[c];
    }
    plain /= channels, mixed /= channels;
    for (int c = 0; c < channels; c++)
      dx[c] = (float)(f * ((double)dy[c] * p->scale[c] - plain - (double)(x[c] - m) * f * mixed));
  }
}

// `sums`: 2 * channels doubles for each piece.
EXPORT void layer_norm_gradient(Job *job, const float *dy, const float *x, const float *scale, const float *mean,
                                const float *inverse, float *dx, float *dScale, float *dOffset, double *sums, int rows,
                                int channels, int step) {
  LayerNormGradient p = {dy, x, scale, mean, inverse, dx, sums, rows, channels, step};
  int pieces = (rows + step - 1) / step;
  PARALLEL(job, layer_norm_gradient_piece, p, pieces);
  for (int c = 0; c < channels; c++) {
    double slope = 0, shift = 0;
    for (int i = 0; i < pieces; i++) {
      slope += sums[(size_t)i * 2 * channels + c];
      shift += sums[((size_t)i * 2 + 1) * channels + c];
    }
    dScale[c] = (float)slope;
    dOffset[c] = (float)shift;
  }
}
