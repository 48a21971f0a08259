import { go4align } from '@multigrad/scalarization';
import { cagrad } from '@multigrad/strategy-cagrad';
import { fairgrad } from '@multigrad/strategy-fairgrad';
import { sdmgrad } from '@multigrad/strategy-sdmgrad';
import { describe, expect, it } from 'vitest';
import { apart, argumentsOf, type PeerCase, recorded, updatesOf } from './recorded.ts';

// READMEs say how the official code of some methods differs: these are its numbers, which scripts/check-peers/run recorded and
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

  it.each(recorded('go4align').map((peer) => [JSON.stringify(peer.arguments), peer] as const))(
    'of GO4Align weighs as here, given the best partition: %s',
    (_, peer) => {
      const { number } = argumentsOf(peer);
      const strategy = go4align({
        groups: number('num_groups'),
        stepSize: number('robust_step_size'),
      });
      expect(apart(updatesOf(strategy, peer), peer)).toBeLessThan(1e-12);
    },
  );

  it.each(recorded('raco').map((peer) => [JSON.stringify(peer.arguments), peer] as const))(
    'of RACO finds the same update: %s',
    (_, peer) => {
      const { number, byName } = argumentsOf(peer);
      const strategy = cagrad({ c: number('c'), preference: byName('weights')!, clip: true });
      expect(apart(updatesOf(strategy, peer), peer)).toBeLessThan(1e-9);
    },
  );

  it('of RACO is another method than CAGrad with a preference', () => {
    const distances = recorded('raco').map((peer) => {
      const { number, byName } = argumentsOf(peer);
      const unclipped = cagrad({ c: number('c'), preference: byName('weights')! });
      return apart(updatesOf(unclipped, peer), peer);
    });
    expect(Math.max(...distances)).toBeGreaterThan(0.1);
  });
});
