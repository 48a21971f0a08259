import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomState, resumeRandom, type RandomState } from './random.ts';

describe('randomness', () => {
  it('continues exactly from a state that went through JSON', () => {
    fc.assert(
      fc.property(fc.integer(), fc.string(), fc.nat(40), (seed, stream, draws) => {
        const random = resumeRandom(randomState(seed, stream));
        for (let draw = 0; draw < draws; draw += 1) random.normal();
        const resumed = resumeRandom(JSON.parse(JSON.stringify(random.state())) as RandomState);
        expect([resumed.uniform(), resumed.integer(9), [...resumed.permutation(5)]]).toEqual([
          random.uniform(),
          random.integer(9),
          [...random.permutation(5)],
        ]);
      }),
    );
  });

  it('gives the same numbers for the same seed and stream, others for others', () => {
    const first = (...words: [number, ...string[]]): number =>
      resumeRandom(randomState(...words)).uniform();
    expect(first(1, 'a')).toBe(first(1, 'a'));
    expect(
      new Set([first(1, 'a'), first(2, 'a'), first(1, 'b'), first(1, 'a', 'b'), first(1)]).size,
    ).toBe(5);
  });

  it('pins its first numbers, so that a release cannot change a recorded run unnoticed', () => {
    const random = resumeRandom(randomState(7, 'pinned'));
    expect([random.integer(1000), random.integer(1000), random.integer(1000)])
      .toMatchInlineSnapshot(`
      [
        136,
        87,
        433,
      ]
    `);
    expect([...random.permutation(6)]).toMatchInlineSnapshot(`
      [
        5,
        2,
        4,
        0,
        3,
        1,
      ]
    `);
  });

  it('draws uniform, normal and integer numbers with the right moments, also across neighbouring seeds', () => {
    const n = 40_000;
    const moments = (draw: (index: number) => number): [number, number] => {
      let sum = 0;
      let squares = 0;
      for (let index = 0; index < n; index += 1) {
        const value = draw(index);
        sum += value;
        squares += value * value;
      }
      return [sum / n, squares / n - (sum / n) ** 2];
    };
    const random = resumeRandom(randomState(3));
    const [uniformMean, uniformVariance] = moments(() => random.uniform());
    expect(Math.abs(uniformMean - 0.5)).toBeLessThan(0.006);
    expect(Math.abs(uniformVariance - 1 / 12)).toBeLessThan(0.003);
    const [normalMean, normalVariance] = moments(() => random.normal());
    expect(Math.abs(normalMean)).toBeLessThan(0.02);
    expect(Math.abs(normalVariance - 1)).toBeLessThan(0.03);
    const [firstMean, firstVariance] = moments((seed) => resumeRandom(randomState(seed)).uniform());
    expect(Math.abs(firstMean - 0.5)).toBeLessThan(0.006);
    expect(Math.abs(firstVariance - 1 / 12)).toBeLessThan(0.003);
  });

  it('draws every permutation of three equally often', () => {
    const random = resumeRandom(randomState(5));
    const counts = new Map<string, number>();
    for (let draw = 0; draw < 6000; draw += 1) {
      const key = random.permutation(3).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });

  it('refuses seeds and states that are none', () => {
    expect(() => randomState(0.5)).toThrow(/`seed` should be an integer. Found 0.5/);
    expect(() => resumeRandom([1, 2, 3] as unknown as RandomState)).toThrow(/four integers/);
  });
});
