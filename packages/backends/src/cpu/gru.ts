import { gruGradInputs, gruShapes, recurrentInputs } from '../registry/sequence-inputs.ts';
import { type CpuKernel, tensorOf, valuesOf } from './cpu-kernel.ts';
import { gateOf, gateSlopeOf } from './gates.ts';

/** A gated recurrent unit over whole sequences. */
export const gru: CpuKernel = {
  name: 'Gru',
  run: ({ inputs, attrs }, backend) => {
    const given = recurrentInputs('Gru', inputs, 3);
    const { count, steps, units, mask } = given;
    const gate = gateOf(attrs);
    const [sums, U, h0] = [given.sums, given.recurrent, given.h].map((tensor) =>
      valuesOf(backend, tensor),
    ) as [Float32Array, Float32Array, Float32Array];
    const masks = mask === null ? null : valuesOf(backend, mask);
    const shapes = gruShapes(given);
    const [states, last, gates, before, reset] = shapes.map(
      (shape) => new Float32Array(shape.reduce((a, b) => a * b, 1)),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
    for (let n = 0; n < count; n += 1) {
      const h = Float64Array.from(h0.subarray(n * units, (n + 1) * units));
      for (let t = 0; t < steps; t += 1) {
        const at = (n * steps + t) * units;
        before.set(h, at);
        const row = Float64Array.from(sums.subarray(3 * at, 3 * (at + units)));
        addProduct(row, 0, h, U, 0, 2 * units);
        for (let j = 0; j < 2 * units; j += 1) row[j] = gate(row[j]!);
        const kept = h.map((value, u) => row[units + u]! * value);
        addProduct(row, 2 * units, kept, U, 2 * units, units);
        const m = masks === null ? 1 : masks[n * steps + t]!;
        for (let u = 0; u < units; u += 1) {
          const z = row[u]!;
          const g = Math.tanh(row[2 * units + u]!);
          row[2 * units + u] = g;
          h[u]! += m * (1 - z) * (g - h[u]!);
        }
        gates.set(row, 3 * at);
        reset.set(kept, at);
        states.set(h, at);
      }
      last.set(h, n * units);
    }
    return [states, last, gates, before, reset].map((values, k) =>
      tensorOf(backend, shapes[k]!, values),
    );
  },
};

/** to[from + j] += Σ_d x_d U[d, column + j], for `width` columns of U (u × 3u). */
function addProduct(
  to: Float64Array,
  from: number,
  x: Float64Array,
  U: Float32Array,
  column: number,
  width: number,
): void {
  x.forEach((value, d) => {
    const at = d * 3 * x.length + column;
    for (let j = 0; j < width; j += 1) to[from + j]! += value * U[at + j]!;
  });
}

/** The gradients of `Gru` with respect to its sums and to the state before the first step. */
export const gruGrad: CpuKernel = {
  name: 'GruGrad',
  run: ({ inputs, attrs }, backend) => {
    const given = gruGradInputs(inputs);
    const { count, steps, units } = given;
    const slope = gateSlopeOf(attrs);
    const [U, gates, before] = [given.recurrent, given.gates, given.before].map((tensor) =>
      valuesOf(backend, tensor),
    ) as [Float32Array, Float32Array, Float32Array];
    const [masks, dStates, dLast] = [given.mask, given.dStates, given.dLast].map((tensor) =>
      tensor === null ? null : valuesOf(backend, tensor),
    ) as [Float32Array | null, Float32Array | null, Float32Array | null];
    const dSums = new Float32Array(gates.length);
    const dH = new Float32Array(count * units);
    for (let n = 0; n < count; n += 1) {
      const own = n * units;
      const dh = new Float64Array(units);
      if (dLast !== null) dh.set(dLast.subarray(own, own + units));
      for (let t = steps - 1; t >= 0; t -= 1) {
        const at = (n * steps + t) * units;
        const m = masks === null ? 1 : masks[n * steps + t]!;
        const row = new Float64Array(3 * units);
        for (let u = 0; u < units; u += 1) {
          const [z, g] = [gates[3 * at + u]!, gates[3 * at + 2 * units + u]!];
          const dState = dh[u]! + (dStates === null ? 0 : dStates[at + u]!);
          row[u] = m * dState * (before[at + u]! - g) * slope(z);
          row[2 * units + u] = m * dState * (1 - z) * (1 - g * g);
          dh[u] = dState * (1 - m + m * z);
        }
        for (let d = 0; d < units; d += 1) {
          const r = gates[3 * at + units + d]!;
          let dReset = 0;
          for (let j = 2 * units; j < 3 * units; j += 1) dReset += row[j]! * U[d * 3 * units + j]!;
          row[units + d] = dReset * before[at + d]! * slope(r);
          dh[d]! += dReset * r;
        }
        for (let d = 0; d < units; d += 1) {
          for (let j = 0; j < 2 * units; j += 1) dh[d]! += row[j]! * U[d * 3 * units + j]!;
        }
        dSums.set(row, 3 * at);
      }
      dH.set(dh, own);
    }
    return [tensorOf(backend, given.gates.shape, dSums), tensorOf(backend, [count, units], dH)];
  },
};
