import { describe, expect, it } from 'vitest';
import { isVerified } from './verified-projection.ts';

/** Unit gradients at the given angles in the plane; r is the first. */
function verdict(degrees: readonly number[], added: readonly number[], error = 1e-12): boolean {
  const angles = degrees.map((angle) => (angle * Math.PI) / 180);
  const slopes = (weights: readonly number[]): Float64Array =>
    Float64Array.from(angles, (angle) =>
      angles.reduce((sum, other, k) => sum - weights[k]! * Math.cos(angle - other), 0),
    );
  const reference = angles.map((_, k) => (k === 0 ? 1 : 0));
  return isVerified(
    error,
    Float64Array.from(reference),
    slopes(reference),
    Float64Array.from(added),
    slopes(reference.map((value, k) => value + added[k]!)),
  );
}

describe('isVerified', () => {
  it('is true of a projection', () => {
    expect(verdict([0, 60], [0, 0])).toBe(true);
    expect(verdict([0, 120], [0, 0.5])).toBe(true);
    expect(verdict([0, 150], [0, Math.sqrt(3) / 2])).toBe(true);
  });

  it('is false of what conflicts', () => {
    expect(verdict([0, 120], [0, 0])).toBe(false);
    expect(verdict([0, 120], [0, 0.49])).toBe(false);
    // By less than the square root of the error it may.
    expect(verdict([0, 120], [0, 0.5 - 1e-6])).toBe(true);
    expect(verdict([0, 120], [0, 0.5 - 1e-5])).toBe(false);
  });

  it('is false of what is longer than the reference', () => {
    expect(verdict([0, 120], [0, 0.99])).toBe(true);
    expect(verdict([0, 120], [0, 1.01])).toBe(false);
    expect(verdict([0, 60], [0, 0.1])).toBe(false);
    // Just as long, which the error leaves in doubt.
    expect(verdict([0, 120], [0, 1])).toBe(false);
  });

  it('is false of what may be zero', () => {
    expect(verdict([0, 180], [0, 1])).toBe(false);
    expect(verdict([0, 180 - 1e-5], [0, 1])).toBe(false);
    expect(verdict([0, 179], [0, Math.cos(Math.PI / 180)])).toBe(true);
    expect(verdict([0, 179], [0, Math.cos(Math.PI / 180)], 1e-4)).toBe(false);
  });
});
