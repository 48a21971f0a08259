/** A point or an arrow of the plane. */
export type Vector = readonly [number, number];

/** The inner product. */
export const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1];

/** The length. */
export const length = (a: Vector): number => Math.hypot(a[0], a[1]);

/** The direction, in radians from −π to π, counter-clockwise from the first axis. */
export const angle = (a: Vector): number => Math.atan2(a[1], a[0]);
