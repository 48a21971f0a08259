import { presets } from './presets.ts';
import type { Vector } from './vectors.ts';

/** What the plane shows. */
export interface View {
  readonly gradients: readonly Vector[];
  /** Ids of the strategies shown. */
  readonly shown: readonly string[];
}

/** Coordinates reach from −limit to limit. */
export const limit = 10;

/** The view at the start. */
export const firstView: View = {
  gradients: presets[0]!.gradients,
  shown: ['sum', 'mmpareto', 'pcgrad', 'mgda'],
};

/** A coordinate as the plane keeps it: within its limits, in hundredths. */
export const coordinate = (value: number): number =>
  // Adding zero turns −0 into 0.
  Math.round(Math.max(-limit, Math.min(limit, value)) * 100) / 100 + 0;
