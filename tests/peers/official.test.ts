import { fairgrad } from '@multigrad/strategy-fairgrad';
import { sdmgrad } from '@multigrad/strategy-sdmgrad';
import { describe, expect, it } from 'vitest';
import { apart, argumentsOf, type PeerCase, recorded, updatesOf } from './recorded.ts';

// READMEs say how the official code of two methods differs: these are its numbers, which scripts/check-peers/run recorded and
// checks where Python is at hand.

/** Clipped to the length 1, as the official code does by default. */
function clipped(updates: readonly number[][], maxNorm: number): number[][] {
  return updates.map((update) => {
    const length = Math.hypot(...update);
    return maxNorm > 0 && length > maxNorm
      ? update.map((value) => (value * maxNorm) / length)
      : update;
  });
}

describe('the official code', () => {
  it.each(recorded('fairgrad').map((peer) => [JSON.stringify(peer.arguments), peer] as const))(
    'of FairGrad multiplies by K and clips: %s',
    (_, peer) => {
      const { number } = argumentsOf(peer);
      const ours = updatesOf(fairgrad({ alpha: number('alpha') }), peer, { factor: 2 });
      expect(apart(clipped(ours, number('max_norm', 1)), peer)).toBeLessThan(1e-3);
    },
  );

  it.each(recorded('sdmgrad').map((peer) => [JSON.stringify(peer.arguments), peer] as const))(
    'of SDMGrad has the rate 10, takes the last batch for all three, multiplies by K and clips: %s',
    (_, peer) => {
      const { number } = argumentsOf(peer);
      const strategy = sdmgrad({ lambda: number('lamda'), learningRate: 10 });
      const alike: PeerCase = {
        ...peer,
        steps: peer.steps.map(({ batches }) => {
          const last = batches!.at(-1)!;
          return { jacobian: last, batches: [last, last] };
        }),
      };
      const ours = updatesOf(strategy, alike, { factor: 2 });
      expect(apart(clipped(ours, number('max_norm', 1)), peer)).toBeLessThan(1e-3);
    },
  );
});
