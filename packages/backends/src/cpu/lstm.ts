import { lstmGradInputs, lstmInputs, lstmShapes } from '../registry/sequence-inputs.ts';
import { type CpuKernel, tensorOf, valuesOf } from './cpu-kernel.ts';
import { gateOf, gateSlopeOf } from './gates.ts';

/** A long short-term memory over whole sequences. */
export const lstm: CpuKernel = {
  name: 'Lstm',
  run: ({ inputs, attrs }, backend) => {
    const given = lstmInputs(inputs);
    const { count, steps, units, mask } = given;
    const gate = gateOf(attrs);
    const [sums, U, h0, c0] = [given.sums, given.recurrent, given.h, given.c].map((tensor) =>
      valuesOf(backend, tensor),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const masks = mask === null ? null : valuesOf(backend, mask);
    const shapes = lstmShapes(given);
    const [states, last, gates, cells, before] = shapes.map(
      (shape) => new Float32Array(shape.reduce((a, b) => a * b, 1)),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
    for (let n = 0; n < count; n += 1) {
      const h = Float64Array.from(h0.subarray(n * units, (n + 1) * units));
      const c = Float64Array.from(c0.subarray(n * units, (n + 1) * units));
      for (let t = 0; t < steps; t += 1) {
        const at = (n * steps + t) * units;
        before.set(h, at);
        const row = Float64Array.from(sums.subarray(4 * at, 4 * (at + units)));
        for (let d = 0; d < units; d += 1) {
          for (let j = 0; j < 4 * units; j += 1) row[j]! += h[d]! * U[d * 4 * units + j]!;
        }
        const m = masks === null ? 1 : masks[n * steps + t]!;
        for (let u = 0; u < units; u += 1) {
          const [i, f, o] = [0, 1, 3].map((k) => gate(row[k * units + u]!)) as [
            number,
            number,
            number,
          ];
          const g = Math.tanh(row[2 * units + u]!);
          const next = f * c[u]! + i * g;
          [i, f, g, o].forEach((value, k) => (gates[4 * at + k * units + u] = value));
          c[u]! += m * (next - c[u]!);
          h[u]! += m * (o * Math.tanh(next) - h[u]!);
        }
        states.set(h, at);
        cells.set(c, at);
      }
      last.set(h, 2 * n * units);
      last.set(c, (2 * n + 1) * units);
    }
    return [states, last, gates, cells, before].map((values, k) =>
      tensorOf(backend, shapes[k]!, values),
    );
  },
};

/** The gradients of `Lstm` with respect to its sums and to the state and cell before the first step. */
export const lstmGrad: CpuKernel = {
  name: 'LstmGrad',
  run: ({ inputs, attrs }, backend) => {
    const given = lstmGradInputs(inputs);
    const { count, steps, units } = given;
    const slope = gateSlopeOf(attrs);
    const [U, c0, gates, cells] = [given.recurrent, given.c, given.gates, given.cells].map(
      (tensor) => valuesOf(backend, tensor),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const [masks, dStates, dLast] = [given.mask, given.dStates, given.dLast].map((tensor) =>
      tensor === null ? null : valuesOf(backend, tensor),
    ) as [Float32Array | null, Float32Array | null, Float32Array | null];
    const dSums = new Float32Array(gates.length);
    const [dH, dC] = [new Float32Array(c0.length), new Float32Array(c0.length)];
    for (let n = 0; n < count; n += 1) {
      const [dh, dc] = [0, 1].map((half) => {
        const from = (2 * n + half) * units;
        return dLast === null
          ? new Float64Array(units)
          : Float64Array.from(dLast.subarray(from, from + units));
      }) as [Float64Array, Float64Array];
      for (let t = steps - 1; t >= 0; t -= 1) {
        const at = (n * steps + t) * units;
        const m = masks === null ? 1 : masks[n * steps + t]!;
        const row = new Float64Array(4 * units);
        for (let u = 0; u < units; u += 1) {
          const [i, f, g, o] = [0, 1, 2, 3].map((k) => gates[4 * at + k * units + u]!) as [
            number,
            number,
            number,
            number,
          ];
          const old = t > 0 ? cells[at - units + u]! : c0[n * units + u]!;
          const tanh = Math.tanh(f * old + i * g);
          const dState = dh[u]! + (dStates === null ? 0 : dStates[at + u]!);
          const dNext = m * dc[u]! + m * dState * o * (1 - tanh * tanh);
          row[u] = dNext * g * slope(i);
          row[units + u] = dNext * old * slope(f);
          row[2 * units + u] = dNext * i * (1 - g * g);
          row[3 * units + u] = m * dState * tanh * slope(o);
          dh[u] = (1 - m) * dState;
          dc[u] = (1 - m) * dc[u]! + dNext * f;
        }
        for (let d = 0; d < units; d += 1) {
          for (let j = 0; j < 4 * units; j += 1) dh[d]! += row[j]! * U[d * 4 * units + j]!;
        }
        dSums.set(row, 4 * at);
      }
      dH.set(dh, n * units);
      dC.set(dc, n * units);
    }
    return [
      tensorOf(backend, given.gates.shape, dSums),
      tensorOf(backend, given.c.shape, dH),
      tensorOf(backend, given.c.shape, dC),
    ];
  },
};
