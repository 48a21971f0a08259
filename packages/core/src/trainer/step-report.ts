import type { GroupReport } from '../step/report.ts';

/** The measurements of a training step; callbacks get one after each batch. */
export interface StepReport<Name extends string = string> {
  /** Number of the step in the whole run, from 0. */
  readonly step: number;
  /** Losses of the objectives present, before any weight. */
  readonly losses: Readonly<Partial<Record<Name, number>>>;
  /** Metrics of the objectives present. */
  readonly metrics: Readonly<Partial<Record<Name, Readonly<Record<string, number>>>>>;
  /** Norms, cosines, weights of each group. */
  readonly groups: readonly GroupReport[];
  /** Backward passes made. */
  readonly backwardPasses: number;
  /** Whether norms and cosines were measured beyond what the strategy needs (`observe`). */
  readonly observed: boolean;
  /** Why the step was skipped: losses or gradients were not finite. Absent where it was made. */
  readonly skipped?: string;
  /** Factor on the losses before the backward passes, with the option `lossScale`. */
  readonly lossScale?: number;
}
