import type { Vector } from './vectors.ts';

/** Gradients worth a look. */
export interface Preset {
  readonly id: string;
  readonly title: string;
  /** What is to be seen. */
  readonly remark: string;
  readonly gradients: readonly Vector[];
}

/** The first one is shown at the start. */
export const presets: readonly Preset[] = [
  {
    id: 'paper',
    title: 'Joint and unimodal',
    remark:
      'The geometry of the MMPareto paper: A, the joint loss, has a short gradient, B, the loss of one modality, a long one, and the angle between them is obtuse. The sum follows B and raises A. MGDA finds the way that lowers both, but in tiny steps; MMPareto takes the same way at the length of the sum, times 1.5.',
    gradients: [
      [0.8, 0.3],
      [-2, 1.6],
    ],
  },
  {
    id: 'conflict',
    title: 'Conflict',
    remark:
      'Gradients of like length that pull apart. Here the sum lowers both losses, as almost every strategy does; they differ in direction and length.',
    gradients: [
      [2, 0.4],
      [-1.2, 1.6],
    ],
  },
  {
    id: 'agreement',
    title: 'Agreement',
    remark:
      'An acute angle, nothing to mend: PCGrad takes the sum, UPGrad the mean, MMPareto the sum at 1.5 times its length. MGDA still takes the shortest combination.',
    gradients: [
      [2, 0.5],
      [0.8, 1.8],
    ],
  },
  {
    id: 'opposite',
    title: 'Nearly opposite',
    remark:
      'Almost Pareto stationary: the cone is a sliver. Strategies that insist on it go along it; how far they dare differs most here.',
    gradients: [
      [1.8, 0.25],
      [-1.8, 0.25],
    ],
  },
  {
    id: 'three',
    title: 'Three objectives',
    remark: 'Each pair has a cone of its own; common descent is what they share.',
    gradients: [
      [1.9, 0.3],
      [-1.1, 1.3],
      [0.5, 1.9],
    ],
  },
  {
    id: 'stationary',
    title: 'Pareto stationary',
    remark:
      'A convex combination of the gradients is zero: whatever lowers one loss raises another. MGDA and MMPareto stop; the sum goes on.',
    gradients: [
      [1.6, 0.2],
      [-1, 1.4],
      [-0.5, -1.5],
    ],
  },
];
