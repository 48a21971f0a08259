// Recurrent layers and attention. Part of multigrad.cc, which includes it.

#ifndef MULTIGRAD_SEQUENCES_H_
#define MULTIGRAD_SEQUENCES_H_

#include "dense_product.h"
#include "kernel_call.h"
#include "vector_math.h"

namespace multigrad {

// Samples of one piece of work, which runs through all steps of a sequence: samples do not depend on each other.
constexpr size_t kSamples = 16;

static void EachPiece(Pool &pool, size_t count, const std::function<void(size_t, size_t)> &body) {
  pool.Run((count + kSamples - 1) / kSamples, [&](size_t begin, size_t end) {
    for (size_t piece = begin; piece < end; ++piece)
      body(piece * kSamples, std::min(count, (piece + 1) * kSamples) - piece * kSamples);
  });
}

// The sigmoid of some gates, or with `hard` the number x / 5 + 1 / 2 kept between 0 and 1.
WIDE static void Gates(float *x, bool hard, size_t size) {
  if (hard) {
    EACH_ALONE
    for (size_t i = 0; i < size; ++i) {
      const float line = 0.2f * x[i] + 0.5f;
      x[i] = line < 0 ? 0.0f : line > 1 ? 1.0f : line;
    }
    return;
  }
  EACH_ALONE
  for (size_t i = 0; i < size; ++i) x[i] = Sigmoid(x[i]);
}

WIDE static void Tanhs(float *x, size_t size) {
  EACH_ALONE
  for (size_t i = 0; i < size; ++i) x[i] = Tanh(x[i]);
}

// One step of one sample, from its gates.
WIDE static void LstmCell(const float *gates, const float *old, const float *before, float mask, float *cell,
                          float *state, size_t units) {
  EACH_ALONE
  for (size_t u = 0; u < units; ++u) {
    const float next = gates[units + u] * old[u] + gates[u] * gates[2 * units + u];
    cell[u] = old[u] + mask * (next - old[u]);
    state[u] = before[u] + mask * (gates[3 * units + u] * Tanh(next) - before[u]);
  }
}

// Inputs: sums, recurrent, h, c, mask where numbers[1] says so. Numbers: hard, masked, steps.
// Outputs: states, last, gates, cells, before.
static void Lstm(Call &call) {
  const bool hard = call.numbers[0] != 0;
  const float *mask = call.numbers[1] != 0 ? call.inputs[4].values : nullptr;
  const float *sums = call.inputs[0].values, *h = call.inputs[2].values, *c = call.inputs[3].values;
  const size_t steps = call.Count(2), width = call.Count(3), count = call.Count(4), sample = steps * width;
  float *states = call.outputs[0].values, *last = call.outputs[1].values, *gates = call.outputs[2].values;
  float *cells = call.outputs[3].values, *before = call.outputs[4].values;
  std::vector<float> panels(PanelSize(width, 4 * width));
  PackPanels(call.inputs[1].values, 4 * width, 1, width, 4 * width, panels.data());
  const size_t bytes = width * sizeof(float);
  EachPiece(call.pool, count, [&](size_t first, size_t many) {
    for (size_t t = 0; t < steps; ++t) {
      const size_t at = first * sample + t * width;
      for (size_t n = 0; n < many; ++n) {
        const size_t here = at + n * sample;
        std::memcpy(before + here, t > 0 ? states + here - width : h + (first + n) * width, bytes);
        std::memcpy(gates + 4 * here, sums + 4 * here, 4 * bytes);
      }
      AddProduct({before + at, sample, 1}, panels.data(), gates + 4 * at, 4 * sample, many, 4 * width, width);
      for (size_t n = 0; n < many; ++n) {
        const size_t here = at + n * sample;
        float *own = gates + 4 * here;
        Gates(own, hard, 2 * width);
        Tanhs(own + 2 * width, width);
        Gates(own + 3 * width, hard, width);
        LstmCell(own, t > 0 ? cells + here - width : c + (first + n) * width, before + here,
                 mask == nullptr ? 1.0f : mask[(first + n) * steps + t], cells + here, states + here, width);
      }
    }
    for (size_t n = first; n < first + many; ++n) {
      const size_t end = (n + 1) * sample - width;
      std::memcpy(last + 2 * n * width, steps > 0 ? states + end : h + n * width, bytes);
      std::memcpy(last + (2 * n + 1) * width, steps > 0 ? cells + end : c + n * width, bytes);
    }
  });
}

// dy times the slope of a gate, from its value.
WIDE static void GateGradients(const float *y, bool hard, float *dy, size_t size) {
  if (hard) {
    EACH_ALONE
    for (size_t i = 0; i < size; ++i) dy[i] *= (y[i] > 0) & (y[i] < 1) ? 0.2f : 0.0f;
    return;
  }
  EACH_ALONE
  for (size_t i = 0; i < size; ++i) dy[i] *= y[i] * (1 - y[i]);
}

WIDE static void Add(const float *x, float *y, size_t size) {
  EACH_ALONE
  for (size_t i = 0; i < size; ++i) y[i] += x[i];
}

// The gradient of LstmCell, for the gates as they are; dState and dCell become those of the step before, but for what goes
// through the recurrent kernel.
WIDE static void LstmCellGradient(const float *gates, const float *old, float mask, float *dState, float *dCell,
                                  float *dSums, size_t units) {
  EACH_ALONE
  for (size_t u = 0; u < units; ++u) {
    const float in = gates[u], forget = gates[units + u], change = gates[2 * units + u], out = gates[3 * units + u];
    const float tanh = Tanh(forget * old[u] + in * change);
    const float whole = dState[u], dh = mask * whole;
    const float dc = mask * dCell[u] + dh * out * (1 - tanh * tanh);
    dSums[u] = dc * change;
    dSums[units + u] = dc * old[u];
    dSums[2 * units + u] = dc * in * (1 - change * change);
    dSums[3 * units + u] = dh * tanh;
    dState[u] = (1 - mask) * whole;
    dCell[u] = (1 - mask) * dCell[u] + dc * forget;
  }
}

struct Optional {
  const float *dStates, *dLast, *mask;
};

// The inputs of a gradient from `next` on that numbers[1], [2], [3] say are there; null for the others.
static Optional OptionalInputs(const Call &call, size_t next) {
  const auto take = [&](size_t number) -> const float * {
    return call.numbers[number] != 0 ? call.inputs[next++].values : nullptr;
  };
  const float *dStates = take(1), *dLast = take(2);
  return {dStates, dLast, take(3)};
}

// Inputs: recurrent, c, gates, cells, then those of dStates, dLast, mask that numbers[1], [2], [3] say are there.
// Numbers: hard, the three, steps, units, count. Outputs: dSums, dH, dC.
static void LstmGrad(Call &call) {
  const bool hard = call.numbers[0] != 0;
  const Optional given = OptionalInputs(call, 4);
  const float *dStates = given.dStates, *dLast = given.dLast, *mask = given.mask;
  const float *c = call.inputs[1].values, *gates = call.inputs[2].values, *cells = call.inputs[3].values;
  const size_t steps = call.Count(4), width = call.Count(5), count = call.Count(6), sample = steps * width;
  float *dSums = call.outputs[0].values, *dH = call.outputs[1].values, *dC = call.outputs[2].values;
  std::vector<float> panels(PanelSize(4 * width, width));
  PackPanels(call.inputs[0].values, 1, 4 * width, 4 * width, width, panels.data());
  EachPiece(call.pool, count, [&](size_t first, size_t many) {
    for (size_t n = first; n < first + many; ++n) {
      for (size_t u = 0; u < width; ++u) {
        dH[n * width + u] = dLast == nullptr ? 0.0f : dLast[2 * n * width + u];
        dC[n * width + u] = dLast == nullptr ? 0.0f : dLast[(2 * n + 1) * width + u];
      }
    }
    for (size_t t = steps; t-- > 0;) {
      const size_t at = first * sample + t * width;
      for (size_t n = 0; n < many; ++n) {
        const size_t here = at + n * sample, own = (first + n) * width;
        const float *value = gates + 4 * here;
        float *sums = dSums + 4 * here;
        if (dStates != nullptr) Add(dStates + here, dH + own, width);
        LstmCellGradient(value, t > 0 ? cells + here - width : c + own,
                         mask == nullptr ? 1.0f : mask[(first + n) * steps + t], dH + own, dC + own, sums, width);
        GateGradients(value, hard, sums, 2 * width);
        GateGradients(value + 3 * width, hard, sums + 3 * width, width);
      }
      AddProduct({dSums + 4 * at, 4 * sample, 1}, panels.data(), dH + first * width, width, many, width, 4 * width);
    }
  });
}

// ---------------------------------------------------------------- GRU

// One step of one sample, from its gates.
WIDE static void GruCell(const float *gates, const float *before, float mask, float *state, size_t units) {
  EACH_ALONE
  for (size_t u = 0; u < units; ++u)
    state[u] = before[u] + mask * (1 - gates[u]) * (gates[2 * units + u] - before[u]);
}

WIDE static void Multiply(const float *x, const float *y, float *product, size_t size) {
  EACH_ALONE
  for (size_t i = 0; i < size; ++i) product[i] = x[i] * y[i];
}

// Inputs: sums, recurrent, h, mask where numbers[1] says so. Numbers: hard, masked, steps, units, count.
// Outputs: states, last, gates, before, reset.
static void Gru(Call &call) {
  const bool hard = call.numbers[0] != 0;
  const float *mask = call.numbers[1] != 0 ? call.inputs[3].values : nullptr;
  const float *sums = call.inputs[0].values, *recurrent = call.inputs[1].values, *h = call.inputs[2].values;
  const size_t steps = call.Count(2), width = call.Count(3), count = call.Count(4), sample = steps * width;
  float *states = call.outputs[0].values, *last = call.outputs[1].values, *gates = call.outputs[2].values;
  float *before = call.outputs[3].values, *reset = call.outputs[4].values;
  std::vector<float> gate_panels(PanelSize(width, 2 * width)), change_panels(PanelSize(width, width));
  PackPanels(recurrent, 3 * width, 1, width, 2 * width, gate_panels.data());
  PackPanels(recurrent + 2 * width, 3 * width, 1, width, width, change_panels.data());
  const size_t bytes = width * sizeof(float);
  EachPiece(call.pool, count, [&](size_t first, size_t many) {
    for (size_t t = 0; t < steps; ++t) {
      const size_t at = first * sample + t * width;
      for (size_t n = 0; n < many; ++n) {
        const size_t here = at + n * sample;
        std::memcpy(before + here, t > 0 ? states + here - width : h + (first + n) * width, bytes);
        std::memcpy(gates + 3 * here, sums + 3 * here, 3 * bytes);
      }
      AddProduct({before + at, sample, 1}, gate_panels.data(), gates + 3 * at, 3 * sample, many, 2 * width, width);
      for (size_t n = 0; n < many; ++n) {
        const size_t here = at + n * sample;
        Gates(gates + 3 * here, hard, 2 * width);
        Multiply(gates + 3 * here + width, before + here, reset + here, width);
      }
      AddProduct({reset + at, sample, 1}, change_panels.data(), gates + 3 * at + 2 * width, 3 * sample, many, width, width);
      for (size_t n = 0; n < many; ++n) {
        const size_t here = at + n * sample;
        Tanhs(gates + 3 * here + 2 * width, width);
        GruCell(gates + 3 * here, before + here, mask == nullptr ? 1.0f : mask[(first + n) * steps + t], states + here,
                width);
      }
    }
    for (size_t n = first; n < first + many; ++n)
      std::memcpy(last + n * width, steps > 0 ? states + (n + 1) * sample - width : h + n * width, bytes);
  });
}

// The gradient of GruCell, for the gates as they are; dState becomes that of the step before, but for what goes through the
// recurrent kernel. The reset gate's place in dSums becomes zero.
WIDE static void GruCellGradient(const float *gates, const float *before, float mask, float *dState, float *dSums,
                                 size_t units) {
  EACH_ALONE
  for (size_t u = 0; u < units; ++u) {
    const float keep = gates[u], change = gates[2 * units + u], whole = dState[u], dh = mask * whole;
    dSums[u] = dh * (before[u] - change);
    dSums[units + u] = 0;
    dSums[2 * units + u] = dh * (1 - keep) * (1 - change * change);
    dState[u] = whole * (1 - mask) + dh * keep;
  }
}

// dReset, the gradient with respect to r h, becomes that of r; dState gets what goes through h.
WIDE static void ResetGradient(const float *reset, const float *before, float *dState, float *dReset, size_t units) {
  EACH_ALONE
  for (size_t u = 0; u < units; ++u) {
    dState[u] += dReset[u] * reset[u];
    dReset[u] *= before[u];
  }
}

// Inputs: recurrent, gates, before, then those of dStates, dLast, mask that numbers[1], [2], [3] say are there.
// Numbers: hard, the three, steps, units, count. Outputs: dSums, dH.
static void GruGrad(Call &call) {
  const bool hard = call.numbers[0] != 0;
  const Optional given = OptionalInputs(call, 3);
  const float *dStates = given.dStates, *dLast = given.dLast, *mask = given.mask;
  const float *recurrent = call.inputs[0].values, *gates = call.inputs[1].values, *before = call.inputs[2].values;
  const size_t steps = call.Count(4), width = call.Count(5), count = call.Count(6), sample = steps * width;
  float *dSums = call.outputs[0].values, *dH = call.outputs[1].values;
  std::vector<float> gate_panels(PanelSize(2 * width, width)), change_panels(PanelSize(width, width));
  PackPanels(recurrent, 1, 3 * width, 2 * width, width, gate_panels.data());
  PackPanels(recurrent + 2 * width, 1, 3 * width, width, width, change_panels.data());
  EachPiece(call.pool, count, [&](size_t first, size_t many) {
    for (size_t i = first * width; i < (first + many) * width; ++i) dH[i] = dLast == nullptr ? 0.0f : dLast[i];
    for (size_t t = steps; t-- > 0;) {
      const size_t at = first * sample + t * width;
      for (size_t n = 0; n < many; ++n) {
        const size_t here = at + n * sample, own = (first + n) * width;
        if (dStates != nullptr) Add(dStates + here, dH + own, width);
        GruCellGradient(gates + 3 * here, before + here, mask == nullptr ? 1.0f : mask[(first + n) * steps + t], dH + own,
                        dSums + 3 * here, width);
      }
      AddProduct({dSums + 3 * at + 2 * width, 3 * sample, 1}, change_panels.data(), dSums + 3 * at + width, 3 * sample, many,
                 width, width);
      for (size_t n = 0; n < many; ++n) {
        const size_t here = at + n * sample;
        float *sums = dSums + 3 * here;
        ResetGradient(gates + 3 * here + width, before + here, dH + (first + n) * width, sums + width, width);
        GateGradients(gates + 3 * here, hard, sums, 2 * width);
      }
      AddProduct({dSums + 3 * at, 3 * sample, 1}, gate_panels.data(), dH + first * width, width, many, width, 2 * width);
    }
  });
}

// ---------------------------------------------------------------- attention

// Softmax of scale * scores, where `mask` is 0 lowered by 1e9; sums in float64.
WIDE static void SoftmaxRow(float *row, const float *mask, float scale, size_t size) {
  constexpr size_t kLanes = 16;
  float most[kLanes];
  double sums[kLanes] = {};
  std::fill(most, most + kLanes, -std::numeric_limits<float>::infinity());
  EACH_ALONE
  for (size_t j = 0; j < size; ++j) row[j] = row[j] * scale + (mask == nullptr ? 0.0f : (mask[j] - 1) * 1e9f);
  size_t j = 0;
  for (; j + kLanes <= size; j += kLanes)
    for (size_t k = 0; k < kLanes; ++k) most[k] = row[j + k] > most[k] ? row[j + k] : most[k];
  for (; j < size; ++j) most[0] = row[j] > most[0] ? row[j] : most[0];
  const float largest = *std::max_element(most, most + kLanes);
  EACH_ALONE
  for (size_t i = 0; i < size; ++i) row[i] = Exp(row[i] - largest);
  for (j = 0; j + kLanes <= size; j += kLanes)
    for (size_t k = 0; k < kLanes; ++k) sums[k] += row[j + k];
  for (; j < size; ++j) sums[0] += row[j];
  double total = 0;
  for (const double sum : sums) total += sum;
  const float inverse = static_cast<float>(1 / total);
  EACH_ALONE
  for (size_t i = 0; i < size; ++i) row[i] *= inverse;
}

// scores = scale p (scores - sum of p scores)
WIDE static void SoftmaxRowGradient(float *scores, const float *p, float scale, size_t size) {
  constexpr size_t kLanes = 16;
  double sums[kLanes] = {};
  size_t j = 0;
  for (; j + kLanes <= size; j += kLanes)
    for (size_t k = 0; k < kLanes; ++k) sums[k] += static_cast<double>(scores[j + k]) * p[j + k];
  for (; j < size; ++j) sums[0] += static_cast<double>(scores[j]) * p[j];
  double total = 0;
  for (const double sum : sums) total += sum;
  EACH_ALONE
  for (size_t i = 0; i < size; ++i) scores[i] = static_cast<float>(scale * p[i] * (scores[i] - total));
}

struct Heads {
  size_t count, queries, keys, heads, width;
  float scale;
};

// Numbers: count, queries, keys, heads, width of a head, scale.
static Heads HeadsOf(const Call &call) {
  const auto n = [&](size_t i) { return call.Count(i); };
  return {n(0), n(1), n(2), n(3), n(4), static_cast<float>(call.numbers[5])};
}

static void ClearRows(float *to, size_t row, size_t rows, size_t columns) {
  for (size_t i = 0; i < rows; ++i) std::fill_n(to + i * row, columns, 0.0f);
}

// Inputs: q, k, v, mask where numbers[6] says so. Outputs: y, p.
static void Attention(Call &call) {
  const Heads g = HeadsOf(call);
  const float *q = call.inputs[0].values, *k = call.inputs[1].values, *v = call.inputs[2].values;
  const float *mask = call.numbers[6] != 0 ? call.inputs[3].values : nullptr;
  float *y = call.outputs[0].values, *p = call.outputs[1].values;
  const size_t row = g.heads * g.width;
  call.pool.Run(g.count * g.heads, [&](size_t begin, size_t end) {
    std::vector<float> panels(std::max(PanelSize(g.width, g.keys), PanelSize(g.keys, g.width)));
    for (size_t pair = begin; pair < end; ++pair) {
      const size_t n = pair / g.heads, across = pair % g.heads * g.width;
      const size_t query = n * g.queries * row + across, key = n * g.keys * row + across;
      float *scores = p + pair * g.queries * g.keys;
      std::fill_n(scores, g.queries * g.keys, 0.0f);
      PackPanels(k + key, 1, row, g.width, g.keys, panels.data());
      AddProduct({q + query, row, 1}, panels.data(), scores, g.keys, g.queries, g.keys, g.width);
      for (size_t i = 0; i < g.queries; ++i)
        SoftmaxRow(scores + i * g.keys, mask == nullptr ? nullptr : mask + n * g.keys, g.scale, g.keys);
      PackPanels(v + key, row, 1, g.keys, g.width, panels.data());
      ClearRows(y + query, row, g.queries, g.width);
      AddProduct({scores, g.keys, 1}, panels.data(), y + query, row, g.queries, g.width, g.keys);
    }
  });
}

// Inputs: dy, q, k, v, p. Outputs: dq, dk, dv.
static void AttentionGrad(Call &call) {
  const Heads g = HeadsOf(call);
  const float *dy = call.inputs[0].values, *q = call.inputs[1].values, *k = call.inputs[2].values;
  const float *v = call.inputs[3].values, *p = call.inputs[4].values;
  float *dq = call.outputs[0].values, *dk = call.outputs[1].values, *dv = call.outputs[2].values;
  const size_t row = g.heads * g.width;
  call.pool.Run(g.count * g.heads, [&](size_t begin, size_t end) {
    std::vector<float> scores(g.queries * g.keys);
    std::vector<float> panels(std::max({PanelSize(g.width, g.keys), PanelSize(g.keys, g.width), PanelSize(g.queries, g.width)}));
    for (size_t pair = begin; pair < end; ++pair) {
      const size_t n = pair / g.heads, across = pair % g.heads * g.width;
      const size_t query = n * g.queries * row + across, key = n * g.keys * row + across;
      const float *own = p + pair * g.queries * g.keys;
      std::fill(scores.begin(), scores.end(), 0.0f);
      PackPanels(v + key, 1, row, g.width, g.keys, panels.data());
      AddProduct({dy + query, row, 1}, panels.data(), scores.data(), g.keys, g.queries, g.keys, g.width);
      for (size_t i = 0; i < g.queries; ++i)
        SoftmaxRowGradient(scores.data() + i * g.keys, own + i * g.keys, g.scale, g.keys);
      PackPanels(k + key, row, 1, g.keys, g.width, panels.data());
      ClearRows(dq + query, row, g.queries, g.width);
      AddProduct({scores.data(), g.keys, 1}, panels.data(), dq + query, row, g.queries, g.width, g.keys);
      PackPanels(q + query, row, 1, g.queries, g.width, panels.data());
      ClearRows(dk + key, row, g.keys, g.width);
      AddProduct({scores.data(), 1, g.keys}, panels.data(), dk + key, row, g.keys, g.width, g.queries);
      PackPanels(dy + query, row, 1, g.queries, g.width, panels.data());
      ClearRows(dv + key, row, g.keys, g.width);
      AddProduct({own, 1, g.keys}, panels.data(), dv + key, row, g.keys, g.width, g.queries);
    }
  });
}

}  // namespace multigrad

#endif  // MULTIGRAD_SEQUENCES_H_
