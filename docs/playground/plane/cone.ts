import { gramianOf, minNormPoint } from '@multigrad/core/strategy';
import { angle, type Vector } from './vectors.ts';

/**
 * The directions u with ⟨u, g⟩ >= 0 for every gradient g: from one angle counter-clockwise to another, in radians. Null at
 * Pareto stationary points, where no direction lowers every loss.
 */
export type Cone = { readonly from: number; readonly to: number } | null;

/** The cone of common descent of one or more gradients. */
export function commonDescentCone(gradients: readonly Vector[]): Cone {
  if (minNormPoint(gramianOf(gradients)).stationary) return null;
  // All gradients lie in a half-plane: what is left of the circle is one gap of more than half a turn.
  const angles = gradients.map(angle).sort((a, b) => a - b);
  const gaps = angles.map((from, k) =>
    k + 1 < angles.length ? angles[k + 1]! - from : angles[0]! + 2 * Math.PI - from,
  );
  const widest = gaps.indexOf(Math.max(...gaps));
  const last = angles[widest]!;
  const first = last + gaps[widest]! - 2 * Math.PI;
  return { from: last - Math.PI / 2, to: first + Math.PI / 2 };
}
