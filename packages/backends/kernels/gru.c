// A gated recurrent unit over a whole sequence, and its gradient. A piece of work takes a few samples through all steps.
#include "recurrent.h"

typedef struct {
  const float *sums, *gatePanels, *changePanels, *h, *mask;  // mask is null where every step counts
  float *states, *last, *gates, *before, *reset;
  int count, steps, units, hard;
} Gru;

static void gru_piece(const void *arguments, int index, Thread *self) {
  const Gru *p = arguments;
  int units = p->units, steps = p->steps, first = index * SAMPLES, many = min_int(SAMPLES, p->count - first);
  size_t sample = (size_t)steps * units;
  for (int t = 0; t < steps; t++) {
    alive(self);
    size_t at = first * sample + (size_t)t * units;
    begin_step(p->sums, p->h, p->states, p->before, p->gates, first, many, t, 3, units, sample);
    Factor rows = {p->before + at, sample, 1};
    add_product(rows, p->gatePanels, p->gates + 3 * at, 3 * sample, many, 2 * units, units);
    for (int n = 0; n < many; n++) {
      size_t here = at + n * sample;
      float *gates = p->gates + 3 * here;
      for (int u = 0; u < units; u += 4) {
        int left = units - u;
        v128_t keep = gate4(load_some(gates + u, left), p->hard);
        v128_t reset = gate4(load_some(gates + units + u, left), p->hard);
        store_some(gates + u, keep, left);
        store_some(gates + units + u, reset, left);
        store_some(p->reset + here + u, wasm_f32x4_mul(reset, load_some(p->before + here + u, left)), left);
      }
    }
    Factor kept = {p->reset + at, sample, 1};
    add_product(kept, p->changePanels, p->gates + 3 * at + 2 * units, 3 * sample, many, units, units);
    for (int n = 0; n < many; n++) {
      size_t here = at + n * sample;
      float *gates = p->gates + 3 * here;
      v128_t mask = wasm_f32x4_splat(p->mask ? p->mask[(size_t)(first + n) * steps + t] : 1);
      for (int u = 0; u < units; u += 4) {
        int left = units - u;
        v128_t keep = load_some(gates + u, left), state = load_some(p->before + here + u, left);
        v128_t change = tanh4(load_some(gates + 2 * units + u, left));
        store_some(gates + 2 * units + u, change, left);
        store_some(p->states + here + u, moved4(state, moved4(change, state, keep), mask), left);
      }
    }
  }
  for (int n = first; n < first + many; n++)
    copy(p->last + (size_t)n * units, steps > 0 ? p->states + (n + 1) * sample - units : p->h + (size_t)n * units, units);
}

// `gatePanels`: room for the panels of the first 2 units columns of `recurrent` (units x 3 units), `changePanels` for those
// of the others.
EXPORT void gru(Job *job, const float *sums, const float *recurrent, const float *h, const float *mask, float *states,
                float *last, float *gates, float *before, float *reset, float *gatePanels, float *changePanels, int count,
                int steps, int units, int hard) {
  pack_panels(recurrent, 3 * units, 1, units, 2 * units, gatePanels);
  pack_panels(recurrent + 2 * units, 3 * units, 1, units, units, changePanels);
  Gru p = {sums, gatePanels, changePanels, h, mask, states, last, gates, before, reset, count, steps, units, hard};
  PARALLEL(job, gru_piece, p, (count + SAMPLES - 1) / SAMPLES);
}

typedef struct {
  const float *dStates, *dLast, *gatePanels, *changePanels, *mask, *gates, *before;  // dStates or dLast may be null
  float *dSums, *dH;
  int count, steps, units, hard;
} GruGradient;

static void gru_gradient_piece(const void *arguments, int index, Thread *self) {
  const GruGradient *p = arguments;
  int units = p->units, steps = p->steps, first = index * SAMPLES, many = min_int(SAMPLES, p->count - first);
  size_t sample = (size_t)steps * units;
  float *dH = p->dH + (size_t)first * units;
  if (p->dLast) copy(dH, p->dLast + (size_t)first * units, many * units);
  else clear(dH, many * units);
  for (int t = steps - 1; t >= 0; t--) {
    alive(self);
    size_t at = first * sample + (size_t)t * units;
    for (int n = 0; n < many; n++) {
      size_t here = at + n * sample;
      const float *gates = p->gates + 3 * here;
      float *dSums = p->dSums + 3 * here, *dh = dH + n * units;
      v128_t one = wasm_f32x4_const_splat(1);
      v128_t mask = wasm_f32x4_splat(p->mask ? p->mask[(size_t)(first + n) * steps + t] : 1);
      for (int u = 0; u < units; u += 4) {
        int left = units - u;
        v128_t keep = load_some(gates + u, left), change = load_some(gates + 2 * units + u, left);
        v128_t old = load_some(p->before + here + u, left), dState = load_some(dh + u, left);
        if (p->dStates) dState = wasm_f32x4_add(dState, load_some(p->dStates + here + u, left));
        v128_t dNext = wasm_f32x4_mul(dState, mask), dKeep = wasm_f32x4_mul(dNext, wasm_f32x4_sub(old, change));
        store_some(dSums + u, gate_gradient4(dKeep, keep, p->hard), left);
        store_some(dSums + 2 * units + u,
                   tanh_gradient4(wasm_f32x4_mul(dNext, wasm_f32x4_sub(one, keep)), change), left);
        store_some(dh + u, moved4(dState, wasm_f32x4_mul(dState, keep), mask), left);
      }
      clear(dSums + units, units);
    }
    // The reset gate's place holds the gradient with respect to r h until it is that of the gate.
    Factor changes = {p->dSums + 3 * at + 2 * units, 3 * sample, 1};
    add_product(changes, p->changePanels, p->dSums + 3 * at + units, 3 * sample, many, units, units);
    for (int n = 0; n < many; n++) {
      size_t here = at + n * sample;
      const float *resets = p->gates + 3 * here + units;
      float *dResets = p->dSums + 3 * here + units, *dh = dH + n * units;
      for (int u = 0; u < units; u += 4) {
        int left = units - u;
        v128_t reset = load_some(resets + u, left), dReset = load_some(dResets + u, left);
        v128_t old = load_some(p->before + here + u, left);
        store_some(dh + u, mul_add(load_some(dh + u, left), dReset, reset), left);
        store_some(dResets + u, gate_gradient4(wasm_f32x4_mul(dReset, old), reset, p->hard), left);
      }
    }
    Factor gates = {p->dSums + 3 * at, 3 * sample, 1};
    add_product(gates, p->gatePanels, dH, units, many, units, 2 * units);
  }
}

// The panels have room for the transposes of the two parts of `recurrent`.
EXPORT void gru_gradient(Job *job, const float *dStates, const float *dLast, const float *recurrent, const float *mask,
                         const float *gates, const float *before, float *dSums, float *dH, float *gatePanels,
                         float *changePanels, int count, int steps, int units, int hard) {
  pack_panels(recurrent, 1, 3 * units, 2 * units, units, gatePanels);
  pack_panels(recurrent + 2 * units, 1, 3 * units, units, units, changePanels);
  GruGradient p = {dStates, dLast, gatePanels, changePanels, mask, gates, before, dSums, dH, count, steps, units, hard};
  PARALLEL(job, gru_gradient_piece, p, (count + SAMPLES - 1) / SAMPLES);
}
