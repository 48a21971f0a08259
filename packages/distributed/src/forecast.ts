import { MultigradError } from '@multigrad/core/strategy';

/** The work of a training step. */
export interface Workload {
  /** Samples in a step of all ranks, an integer >= 1. */
  readonly batch: number;
  /** Seconds that one rank takes for one sample: the forward pass and all backward passes. */
  readonly secondsPerSample: number;
  /** Parameters that several objectives reach. */
  readonly shared: number;
  /** Objectives whose gradients are exchanged: K, or 1 for strategies that see no gradients and at features. */
  readonly objectives: number;
  /** Parameters that one objective reaches. @defaultValue 0 */
  readonly heads?: number;
  /** Small exchanges of a step: `control.calls` of `exchangesOfStep`. @defaultValue 5, those of every step */
  readonly smallExchanges?: number;
}

/** The connection between ranks; `measureConnection` measures it. */
export interface Connection {
  /** Bytes a second between two ranks. */
  readonly bandwidth: number;
  /** Seconds from one rank to another for an empty message. */
  readonly latency: number;
}

/** The forecast for one number of ranks. */
export interface Forecast {
  readonly ranks: number;
  /** Seconds in forward and backward passes. */
  readonly compute: number;
  /** Seconds in exchanges. */
  readonly communication: number;
  /** Times as fast as one rank. */
  readonly speedup: number;
}

/**
 * The time of a step with N ranks, by a simple model:
 *
 * `T(N) = B c / N + 2 (N − 1) α + (N − 1)/N · 4 ((K + 1) P_s + 2 P_h) / β + E ⌈log₂ N⌉ α`
 *
 * with batch B, seconds per sample c, latency α, bandwidth β, K objectives, P_s shared parameters, P_h in heads and E small
 * exchanges: ranks compute their samples, reduce-scatter and all-gather in rings, and agree E times in trees. Nothing overlaps: a
 * step in which gradients are exchanged while others are computed takes less.
 *
 * @param ranks - N, an integer >= 1
 * @throws MultigradError `invalid-argument` for numbers out of their ranges
 *
 * @example
 * ```ts
 * import { forecast } from '@multigrad/distributed';
 *
 * const network = { batch: 512, secondsPerSample: 0.01, shared: 11e6, objectives: 3 };
 * const { speedup } = forecast(8, network, { bandwidth: 25e9 / 8, latency: 20e-6 });
 * console.log(speedup.toFixed(1)); // 7.4
 * ```
 *
 * @see Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 2005
 * (https://doi.org/10.1177/1094342005051521), sections 4.1 and 4.2: the terms of rings
 */
export function forecast(
  ranks: number,
  { batch, secondsPerSample, shared, objectives, heads = 0, smallExchanges = 5 }: Workload,
  { bandwidth, latency }: Connection,
): Forecast {
  const numbers = { ranks, batch, secondsPerSample, objectives, bandwidth };
  for (const [name, value] of Object.entries(numbers)) {
    if (Number.isFinite(value) && value > 0) continue;
    throw new MultigradError('invalid-argument', `\`${name}\` should be > 0. Found ${value}.`);
  }
  const alone = batch * secondsPerSample;
  const compute = alone / ranks;
  const bytes = 4 * ((objectives + 1) * shared + 2 * heads);
  const rings = 2 * (ranks - 1) * latency + (((ranks - 1) / ranks) * bytes) / bandwidth;
  const trees = smallExchanges * Math.ceil(Math.log2(ranks)) * latency;
  const communication = rings + trees;
  return { ranks, compute, communication, speedup: alone / (compute + communication) };
}
