import type { GradientStrategy } from '@multigrad/core/strategy';
import { epo } from '@multigrad/strategy-epo';
import { describe, expect, it } from 'vitest';
import { type Arguments, argumentsOf, type PeerCase, recorded, updatesOf } from './recorded.ts';

// The official code of methods with preferences: scripts/check-peers/run recorded its numbers, and checks them where Python is
// at hand.

const methods: Record<string, (given: Arguments) => GradientStrategy> = {
  epo: ({ number, byName }) =>
    epo({
      preference: byName('r') ?? null,
      tolerance: number('eps', 1e-4),
      relax: number('relax', 0) === 1,
    }),
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
      expect(apart, `step ${step}`).toBeLessThan(1e-7 * Math.max(1, Math.hypot(...theirs)));
    });
  });
});
