import type { GradientStrategy } from '@multigrad/core/strategy';
import type { OfferedStrategy } from '../plane/strategies.ts';
import type { Vector } from '../plane/vectors.ts';
import { type Descent, descend, startAt } from './descent.ts';
import type { Rule } from './rules.ts';
import { distanceToParetoSet } from './two-valleys.ts';

/** A path with what is drawn of it. */
export interface Path {
  readonly descent: Descent;
  /** The points drawn, from the start on: those that lie apart. */
  readonly trail: readonly Vector[];
}

/** One strategy's paths, from each starting point. */
export interface Lane {
  readonly offered: OfferedStrategy;
  readonly strategy: GradientStrategy;
  readonly paths: readonly Path[];
}

/** Lanes before the first step. */
export const lineUp = (offered: readonly OfferedStrategy[], starts: readonly Vector[]): Lane[] =>
  offered.map((one) => ({
    offered: one,
    strategy: one.make(),
    paths: starts.map((start) => ({ descent: startAt(start), trail: [start] })),
  }));

/** Points of a trail are at least this far apart. */
const apart = 0.04;

/** All lanes some steps further. */
export const advance = (lanes: readonly Lane[], rule: Rule, steps: number): Lane[] =>
  lanes.map((lane) => ({
    ...lane,
    paths: lane.paths.map(({ descent, trail }) => {
      const grown = [...trail];
      let now = descent;
      for (let step = 0; step < steps && now.end === undefined; step += 1) {
        now = descend(now, lane.strategy, lane.offered, rule);
        const [x, y] = grown.at(-1)!;
        if (Math.hypot(now.point[0] - x, now.point[1] - y) >= apart) grown.push(now.point);
      }
      return { descent: now, trail: grown };
    }),
  }));

/** Paths this close to the Pareto set have arrived. */
const close = 0.5;

/** How many of a lane's paths have arrived at the Pareto set. */
export const arrivals = ({ paths }: Lane): number =>
  paths.filter(({ descent }) => distanceToParetoSet(descent.point) < close).length;
