import * as tf from '@tensorflow/tfjs-core';

/**
 * Two convex quadratic losses of six weights, `L_k = ½ (x − c_k)ᵀ A_k (x − c_k)` with diagonal A_k. Where they compete most for a
 * weight one of them has a steep slope, so the Pareto set is a curve, not a line.
 */
export const quadratics = {
  first: { centre: [1, 0.5, -1, 0, 0.5, -0.5], slopes: [4, 2, 1, 0.5, 0.25, 1] },
  second: { centre: [-1, -0.5, 1, 1, -0.5, 0.5], slopes: [0.25, 0.5, 1, 2, 4, 1] },
};

/** The losses of one row of weights. */
export function losses(weights) {
  return tf.tidy(() =>
    Object.fromEntries(
      Object.entries(quadratics).map(([name, { centre, slopes }]) => [
        name,
        tf.mul(tf.sum(tf.mul(tf.square(tf.sub(weights, centre)), slopes)), 0.5),
      ]),
    ),
  );
}

/**
 * The Pareto optimal losses at which `t ∇L_1 + (1 − t) ∇L_2 = 0`, in closed form: each weight is the mean of the centres by the
 * slopes, `x = (t a_1 c_1 + (1 − t) a_2 c_2) / (t a_1 + (1 − t) a_2)`.
 */
export function optimum(t) {
  const [one, two] = Object.values(quadratics);
  const x = one.centre.map((c, i) => {
    const [u, v] = [t * one.slopes[i], (1 - t) * two.slopes[i]];
    return (u * c + v * two.centre[i]) / (u + v);
  });
  return [one, two].map(({ centre, slopes }) =>
    x.reduce((sum, value, i) => sum + 0.5 * slopes[i] * (value - centre[i]) ** 2, 0),
  );
}
