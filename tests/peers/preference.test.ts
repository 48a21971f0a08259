import type { GradientStrategy } from '@multigrad/core/strategy';
import { epo } from '@multigrad/strategy-epo';
import { ferero } from '@multigrad/strategy-ferero';
import { pcd } from '@multigrad/strategy-pcd';
import { pmgda } from '@multigrad/strategy-pmgda';
import { describe, expect, it } from 'vitest';
import { type Arguments, argumentsOf, type PeerCase, recorded, updatesOf } from './recorded.ts';

// The official code of methods with preferences: scripts/check-peers/run recorded its numbers, and checks them where Python is
// at hand.

/** Relative to the update, where a peer's solver ends sooner. */
const tolerances: Record<string, number> = { pmgda: 1e-5 };

const methods: Record<string, (given: Arguments) => GradientStrategy> = {
  epo: ({ number, byName }) =>
    epo({
      preference: byName('r') ?? null,
      tolerance: number('eps', 1e-4),
      relax: number('relax', 0) === 1,
    }),
  // Its code has single precision in the direction of the ray, and an interior-point solver for predictions.
  pmgda: ({ number, byName }) =>
    pmgda({ preference: byName('r') ?? null, sigma: number('sigma', 0.95) }),
  pcd: ({ number }) => pcd({ tau: number('tau'), beta: number('beta') }),
  ferero: ({ byName }) => ferero({ preference: byName('r') ?? null, normalize: false }),
};

/** The official weights turned into an update. */
function foundUpdates({ steps, found }: PeerCase): number[][] {
  return steps.map(({ jacobian }, at) =>
    jacobian![0]!.map((_, c) =>
      jacobian!.reduce((sum, row, k) => sum + row[c]! * found[at]!.weights![k]!, 0),
    ),
  );
}

describe.each(Object.keys(methods))('the official code of %s', (peer) => {
  const cases = recorded(peer).map(
    (each) => [JSON.stringify(each.arguments), each.steps.length, each] as const,
  );

  it.each(cases)('agrees with ours at each step: %s, %i steps', (_, __, each) => {
    const ours = updatesOf(methods[peer]!(argumentsOf(each)), each);
    foundUpdates(each).forEach((theirs, step) => {
      const apart = Math.hypot(...theirs.map((value, c) => value - ours[step]![c]!));
      expect(apart, `step ${step}`).toBeLessThan(
        (tolerances[peer] ?? 1e-6) * Math.max(1, Math.hypot(...theirs)),
      );
    });
  });
});
