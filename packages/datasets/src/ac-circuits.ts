import {
  type OptionsOf,
  type Random,
  randomState,
  resolveOptions,
  resumeRandom,
} from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { MemorySource } from './batch-source.ts';
import { type SizeOptions, sizeSpecs } from './size-options.ts';
import { assertPositions } from './positions.ts';

/** Descriptions of the options of {@link acCircuits}. */
const acCircuitsOptions = {
  /** Standard deviation of the measurements' noise, as a share of each target's own, >= 0. @defaultValue 1/3 */
  noise: {
    kind: 'number',
    default: 0.3333333333333333,
    minimum: 0,
    description: 'Standard deviation of the noise, as a share of each target’s own, >= 0.',
  },
  /**
   * `'standard'`: targets of mean 0 and deviation 1 (without the noise); `'physical'`: ohms and radians, whose squared
   * errors differ by five orders of magnitude.
   *
   * @defaultValue 'standard'
   */
  units: {
    kind: 'choice',
    default: 'standard',
    choices: ['standard', 'physical'],
    description: 'Targets of mean 0 and deviation 1, or in ohms and radians.',
  },
  /** Seed of circuits and noise, an integer >= 0. @defaultValue 0 */
  seed: {
    kind: 'number',
    default: 0,
    minimum: 0,
    integer: true,
    description: 'Seed of circuits and noise, an integer >= 0.',
  },
} as const;

/** Options of {@link acCircuits}. */
export interface AcCircuitsOptions extends SizeOptions, OptionsOf<typeof acCircuitsOptions> {}

/** A batch of circuits with their measurements. */
export type AcCircuitBatch = Readonly<{
  /** n × 4, each from 0 to 1: resistance, frequency, inductance and capacitance within their ranges. */
  circuit: tf.Tensor2D;
  /** n × 1: impedances, in the option's units. */
  impedance: tf.Tensor2D;
  /** n × 1: phases, in the option's units. */
  phase: tf.Tensor2D;
}>;

/** A set of circuits. */
export interface AcCircuits extends MemorySource<AcCircuitBatch> {
  /** `count · 4` numbers from 0 to 1. */
  readonly inputs: Float32Array;
  /** `count · 2` numbers: impedance and phase, with their noise. */
  readonly targets: Float32Array;
}

/** Sets of circuits to train on, to select models by, and to test on. */
export interface AcCircuitSets {
  readonly train: AcCircuits;
  readonly validation: AcCircuits | null;
  readonly test: AcCircuits;
}

// Mean and deviation over all circuits, by a midpoint rule in four dimensions; a test repeats it.
const impedances = { mean: 521, deviation: 523 };
const phases = { mean: 0.277, deviation: 1.333 };

const most = 1_000_000;

/**
 * Alternating-current circuits, a regression in two tasks: impedance and phase of a resistor, a coil and a capacitor in
 * series, from their sizes and the frequency.
 *
 * With `X = ωL − 1/(ωC)`: impedance `√(R² + X²)` in ohms and phase `atan(X/R)` in radians, R from 0 to 100 Ω, ω from 40π
 * to 560π per second, L from 0 to 1 H, C from 1 to 11 µF, all uniform, and normal noise on both. Both tasks need X; the
 * phase turns over within a narrow resonance, the impedance hardly moves there, so they are of unequal difficulty.
 * The test set has noise too.
 *
 * The data are made, not measured. A sample depends on `seed`, its set and its position, not on the sizes.
 *
 * @remarks
 * Friedman's second and third functions as one set. Capacitances are microfarads, as his ranges say; generators that take
 * the same numbers for farads leave the capacitor without effect.
 *
 * @throws MultigradError `invalid-option` for an option out of its range
 *
 * @example
 * ```ts
 * import { acCircuits } from '@multigrad/datasets';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const { train } = acCircuits({ trainSize: 2000, seed: 1 });
 * const { circuit, impedance, phase } = train.batch(Int32Array.of(0, 1, 2));
 * console.log(circuit.shape, impedance.shape, phase.shape); // [ 3, 4 ] [ 3, 1 ] [ 3, 1 ]
 * ```
 *
 * @see Friedman, "Multivariate Adaptive Regression Splines", The Annals of Statistics 1991, section 4.4
 */
export function acCircuits(options: AcCircuitsOptions = {}): AcCircuitSets {
  const { trainSize, validationSize, testSize, noise, units, seed } = resolveOptions(
    'acCircuits',
    specs,
    options,
  );
  const make = (set: string, count: number) =>
    circuits(count, noise, units, resumeRandom(randomState(seed, 'ac-circuits', set)));
  return {
    train: make('train', trainSize),
    validation: validationSize === 0 ? null : make('validation', validationSize),
    test: make('test', testSize),
  };
}

function circuits(
  count: number,
  noise: number,
  units: 'standard' | 'physical',
  random: Random,
): AcCircuits {
  const inputs = new Float32Array(4 * count);
  const targets = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const drawn = [random.uniform(), random.uniform(), random.uniform(), random.uniform()] as const;
    inputs.set(drawn, 4 * i);
    measure(drawn).forEach((value, k) => {
      const { mean, deviation } = k === 0 ? impedances : phases;
      const measured = value + noise * deviation * random.normal();
      targets[2 * i + k] = units === 'physical' ? measured : (measured - mean) / deviation;
    });
  }
  return { count, inputs, targets, batch: (indices) => makeBatch(inputs, targets, count, indices) };
}

/** Impedance in ohms and phase in radians. */
function measure([r, f, l, c]: readonly [number, number, number, number]): [number, number] {
  const resistance = 100 * r;
  const frequency = Math.PI * (40 + 520 * f);
  const capacitance = 1e-6 * (1 + 10 * c);
  const reactance = frequency * l - 1 / (frequency * capacitance);
  return [Math.hypot(resistance, reactance), Math.atan2(reactance, resistance)];
}

function makeBatch(
  inputs: Float32Array,
  targets: Float32Array,
  count: number,
  indices: Int32Array,
): AcCircuitBatch {
  assertPositions(indices, count);
  const column = (k: number) =>
    tf.tensor2d(
      Float32Array.from(indices, (i) => targets[2 * i + k]!),
      [indices.length, 1],
    );
  const circuit = new Float32Array(4 * indices.length);
  indices.forEach((i, position) => circuit.set(inputs.subarray(4 * i, 4 * i + 4), 4 * position));
  return {
    circuit: tf.tensor2d(circuit, [indices.length, 4]),
    impedance: column(0),
    phase: column(1),
  };
}

const sizes = sizeSpecs(most, most, 0);

const specs = {
  ...sizes,
  trainSize: { ...sizes.trainSize, default: 2000 },
  testSize: { ...sizes.testSize, default: 1000 },
  ...acCircuitsOptions,
};
