// A long short-term memory over a whole sequence, and its gradient. A piece of work takes a few samples through all steps.
#include "recurrent.h"

typedef struct {
  const float *sums, *panels, *h, *c, *mask;  // mask is null where every step counts
  float *states, *last, *gates, *cells, *before;
  int count, steps, units, hard;
} Lstm;

// One step of up to 4 units of a sample, whose numbers are at `here`, from the cell and the state before it.
INLINE void lstm_four(const Lstm *p, size_t here, const float *cell, v128_t mask, int u, int left) {
  int units = p->units;
  float *gates = p->gates + 4 * here + u;
  v128_t in = gate4(load_some(gates, left), p->hard), forget = gate4(load_some(gates + units, left), p->hard);
  v128_t change = tanh4(load_some(gates + 2 * units, left)), out = gate4(load_some(gates + 3 * units, left), p->hard);
  v128_t old = load_some(cell + u, left), state = load_some(p->before + here + u, left);
  v128_t next = wasm_f32x4_add(wasm_f32x4_mul(forget, old), wasm_f32x4_mul(in, change));
  store_some(gates, in, left);
  store_some(gates + units, forget, left);
  store_some(gates + 2 * units, change, left);
  store_some(gates + 3 * units, out, left);
  store_some(p->cells + here + u, moved4(old, next, mask), left);
  store_some(p->states + here + u, moved4(state, wasm_f32x4_mul(out, tanh4(next)), mask), left);
}

static void lstm_piece(const void *arguments, int index, Thread *self) {
  const Lstm *p = arguments;
  int units = p->units, steps = p->steps, first = index * SAMPLES, many = min_int(SAMPLES, p->count - first);
  size_t sample = (size_t)steps * units;
  for (int t = 0; t < steps; t++) {
    alive(self);
    size_t at = first * sample + (size_t)t * units;
    begin_step(p->sums, p->h, p->states, p->before, p->gates, first, many, t, 4, units, sample);
    Factor rows = {p->before + at, sample, 1};
    add_product(rows, p->panels, p->gates + 4 * at, 4 * sample, many, 4 * units, units);
    for (int n = 0; n < many; n++) {
      size_t here = at + n * sample;
      const float *cell = t > 0 ? p->cells + here - units : p->c + (size_t)(first + n) * units;
      v128_t mask = wasm_f32x4_splat(p->mask ? p->mask[(size_t)(first + n) * steps + t] : 1);
      int u = 0;
      for (; u + 4 <= units; u += 4) lstm_four(p, here, cell, mask, u, 4);
      if (u < units) lstm_four(p, here, cell, mask, u, units - u);
    }
  }
  for (int n = first; n < first + many; n++) {
    float *last = p->last + (size_t)n * 2 * units;
    size_t end = (n + 1) * sample - units;
    copy(last, steps > 0 ? p->states + end : p->h + (size_t)n * units, units);
    copy(last + units, steps > 0 ? p->cells + end : p->c + (size_t)n * units, units);
  }
}

// `panels`: room for the panels of `recurrent` (units x 4 units).
EXPORT void lstm(Job *job, const float *sums, const float *recurrent, const float *h, const float *c, const float *mask,
                 float *states, float *last, float *gates, float *cells, float *before, float *panels, int count,
                 int steps, int units, int hard) {
  pack_panels(recurrent, 4 * units, 1, units, 4 * units, panels);
  Lstm p = {sums, panels, h, c, mask, states, last, gates, cells, before, count, steps, units, hard};
  PARALLEL(job, lstm_piece, p, (count + SAMPLES - 1) / SAMPLES);
}

typedef struct {
  const float *dStates, *dLast, *panels, *c, *mask, *gates, *cells;  // dStates or dLast may be null
  float *dSums, *dH, *dC;
  int count, steps, units, hard;
} LstmGradient;

// The gradient of lstm_four; `own` is where dH and dC of the sample are.
INLINE void lstm_gradient_four(const LstmGradient *p, size_t here, size_t own, const float *cell, v128_t mask, int u,
                               int left) {
  int units = p->units;
  const float *gates = p->gates + 4 * here + u;
  float *dSums = p->dSums + 4 * here + u, *dH = p->dH + own + u, *dC = p->dC + own + u;
  v128_t rest = wasm_f32x4_sub(wasm_f32x4_const_splat(1), mask);
  v128_t in = load_some(gates, left), forget = load_some(gates + units, left);
  v128_t change = load_some(gates + 2 * units, left), out = load_some(gates + 3 * units, left);
  v128_t old = load_some(cell + u, left);
  v128_t tanh = tanh4(wasm_f32x4_add(wasm_f32x4_mul(forget, old), wasm_f32x4_mul(in, change)));
  v128_t dState = load_some(dH, left), dCell = load_some(dC, left);
  if (p->dStates) dState = wasm_f32x4_add(dState, load_some(p->dStates + here + u, left));
  v128_t dh = wasm_f32x4_mul(dState, mask);
  v128_t dc = wasm_f32x4_add(wasm_f32x4_mul(dCell, mask), tanh_gradient4(wasm_f32x4_mul(dh, out), tanh));
  store_some(dSums, gate_gradient4(wasm_f32x4_mul(dc, change), in, p->hard), left);
  store_some(dSums + units, gate_gradient4(wasm_f32x4_mul(dc, old), forget, p->hard), left);
  store_some(dSums + 2 * units, tanh_gradient4(wasm_f32x4_mul(dc, in), change), left);
  store_some(dSums + 3 * units, gate_gradient4(wasm_f32x4_mul(dh, tanh), out, p->hard), left);
  store_some(dH, wasm_f32x4_mul(dState, rest), left);
  store_some(dC, wasm_f32x4_add(wasm_f32x4_mul(dc, forget), wasm_f32x4_mul(dCell, rest)), left);
}

static void lstm_gradient_piece(const void *arguments, int index, Thread *self) {
  const LstmGradient *p = arguments;
  int units = p->units, steps = p->steps, first = index * SAMPLES, many = min_int(SAMPLES, p->count - first);
  size_t sample = (size_t)steps * units;
  for (int n = first; n < first + many; n++) {
    float *dh = p->dH + (size_t)n * units, *dc = p->dC + (size_t)n * units;
    if (p->dLast) {
      copy(dh, p->dLast + (size_t)n * 2 * units, units);
      copy(dc, p->dLast + ((size_t)n * 2 + 1) * units, units);
    } else {
      clear(dh, units);
      clear(dc, units);
    }
  }
  for (int t = steps - 1; t >= 0; t--) {
    alive(self);
    size_t at = first * sample + (size_t)t * units;
    for (int n = 0; n < many; n++) {
      size_t here = at + n * sample, own = (size_t)(first + n) * units;
      const float *cell = t > 0 ? p->cells + here - units : p->c + own;
      v128_t mask = wasm_f32x4_splat(p->mask ? p->mask[(size_t)(first + n) * steps + t] : 1);
      int u = 0;
      for (; u + 4 <= units; u += 4) lstm_gradient_four(p, here, own, cell, mask, u, 4);
      if (u < units) lstm_gradient_four(p, here, own, cell, mask, u, units - u);
    }
    Factor rows = {p->dSums + 4 * at, 4 * sample, 1};
    add_product(rows, p->panels, p->dH + (size_t)first * units, units, many, units, 4 * units);
  }
}

// `panels`: room for the panels of the transpose of `recurrent` (4 units x units).
EXPORT void lstm_gradient(Job *job, const float *dStates, const float *dLast, const float *recurrent, const float *c,
                          const float *mask, const float *gates, const float *cells, float *dSums, float *dH, float *dC,
                          float *panels, int count, int steps, int units, int hard) {
  pack_panels(recurrent, 1, 4 * units, 4 * units, units, panels);
  LstmGradient p = {dStates, dLast, panels, c, mask, gates, cells, dSums, dH, dC, count, steps, units, hard};
  PARALLEL(job, lstm_gradient_piece, p, (count + SAMPLES - 1) / SAMPLES);
}
