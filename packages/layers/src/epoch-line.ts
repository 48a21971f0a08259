import type { TrainerCallback } from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';

/** A callback that writes a line after each epoch; null for `verbose: 0`. @throws MultigradError `invalid-option` */
export function epochLine(
  verbose: unknown,
  print: ((line: string) => void) | undefined,
  epochs: number,
): TrainerCallback | null {
  if (verbose === 0) return null;
  if (verbose !== 1 && verbose !== 2) {
    throw new MultigradError(
      'invalid-option',
      `Option \`verbose\` should be 0, 1 or 2. Found ${describeValue(verbose)}.`,
    );
  }
  // The one place that writes: it was asked to.
  const { console: terminal } = globalThis;
  const write = print ?? ((line: string): void => terminal.log(line));
  return {
    onEpochEnd: (epoch, logs) => {
      const numbers = Object.entries(logs).map(([name, value]) => `${name}: ${value.toFixed(4)}`);
      write(`Epoch ${epoch + 1}/${epochs} - ${numbers.join(' - ')}`);
    },
  };
}
