import type { OptionSpecs } from '@multigrad/core/strategy';

/** Numbers of samples in a data set. Their ranges and defaults depend on the data: {@link sizeSpecs}. */
export interface SizeOptions {
  /** Number of training samples, an integer >= 1. */
  readonly trainSize?: number;
  /** Number of validation samples, an integer >= 0. */
  readonly validationSize?: number;
  /** Number of test samples, an integer >= 1. */
  readonly testSize?: number;
}

/**
 * The options of a data set that holds samples back for validation. By default all other samples train, and all test
 * samples are used.
 *
 * @param available - samples for training and validation together
 * @param tests - samples to test on
 * @param validationSize - number of samples that the caller wants held back
 */
export function sizeSpecs(
  available: number,
  tests: number,
  validationSize: number,
): OptionSpecs<SizeOptions> {
  const count = (fallback: number, minimum: number, maximum: number, which: string) =>
    ({
      kind: 'number',
      default: fallback,
      minimum,
      maximum,
      integer: true,
      description: `Number of ${which} samples, an integer >= ${minimum}.`,
    }) as const;
  return {
    trainSize: count(Math.max(1, available - validationSize), 1, available, 'training'),
    validationSize: count(0, 0, available, 'validation'),
    testSize: count(tests, 1, tests, 'test'),
  };
}
