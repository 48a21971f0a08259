import { describe, expect, it } from 'vitest';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { frontCsv, frontOf, frontSentences, frontTable } from './front.ts';
import { summarize } from './summary.ts';

const specifiers = ['a', 'b', 'c'].map(
  (name) => `pbi:theta=${name.charCodeAt(0)},preference.gray=1`,
);

/** A front whose runs end with these test losses of two objectives, by ray. */
function frontWith(
  losses: readonly (readonly [number, number])[],
  seeds = [0],
  reference?: Readonly<Record<string, number>>,
) {
  const strategies = specifiers.slice(0, losses.length);
  const { config, runs } = recordedComparison({ strategies, seeds, epochs: 1 });
  const rays = Object.fromEntries(
    strategies.map((specifier, at) => [
      specifier,
      [
        { gray: 0.8, color: 0.6 },
        { gray: Math.SQRT1_2, color: Math.SQRT1_2 },
        { gray: 0.6, color: 0.8 },
      ][at]!,
    ]),
  );
  const ended = runs.map((run) => {
    const [gray, color] = losses[strategies.indexOf(run.strategy)]!;
    // Seeds lie to both sides of the mean.
    const off = run.seed * 0.2 - (0.2 * (seeds.length - 1)) / 2;
    return {
      ...run,
      epochs: run.epochs.map((epoch) => ({
        ...epoch,
        test: {
          gray: { loss: gray + off, accuracy: 0.5 },
          color: { loss: color + off, accuracy: 0.5 },
        },
      })),
    };
  });
  const asked = reference === undefined ? {} : { reference };
  return frontOf(summarize({ ...config, command: 'front', rays, ...asked }, ended));
}

describe('frontOf', () => {
  it('measures the volume below the reference point by hand', () => {
    const front = frontWith([
      [2, 1],
      [1, 2],
    ])!;
    expect(front.reference['gray']).toBeCloseTo(2.2, 12);
    expect(front.reference['color']).toBeCloseTo(2.2, 12);
    // Two boxes of 0.2 × 1.2 that share 0.2 × 0.2.
    expect(front.hypervolume).toBeCloseTo(2 * 0.24 - 0.04, 12);
    expect(front.hypervolumeShare).toBeCloseTo((2 * 0.24 - 0.04) / 2.2 ** 2, 12);
    expect(frontSentences(front)[0]).toContain('gray 2.200, color 2.200');
  });

  it('measures below the reference point that was asked for, without points beyond it', () => {
    const front = frontWith(
      [
        [2, 1],
        [1, 2],
        [5, 0.5],
      ],
      [0],
      { color: 3, gray: 4 },
    )!;
    expect(front.reference).toEqual({ gray: 4, color: 3 });
    // Boxes of 2 × 2 and 3 × 1 that share 2 × 1; the third ends beyond 4.
    expect(front.hypervolume).toBeCloseTo(5, 12);
    expect(front.hypervolumeShare).toBeCloseTo(5 / 12, 12);
    expect(front.points.map(({ beyondReference }) => beyondReference)).toEqual([
      false,
      false,
      true,
    ]);
    const [volume, beyond] = frontSentences(front);
    expect(volume).toContain('the reference point (gray 4.000, color 3.000).');
    expect(beyond).toBe(
      '1 of 3 points has a loss beyond the reference point, and adds nothing to the hypervolume.',
    );
    expect(frontWith([[5, 5]], [0], { color: 3, gray: 4 })!.hypervolume).toBe(0);
  });

  it('says how far losses are from their rays', () => {
    const [first, second, third] = frontWith([
      [4, 3],
      [1, 3],
      [3, 2],
    ])!.points;
    expect(first!.angle).toBeCloseTo(0, 10);
    expect(first!.nonUniformity).toBeCloseTo(0, 12);
    expect(second!.angle).toBeCloseTo((Math.atan(3) * 180) / Math.PI - 45, 10);
    // Shares ¼ and ¾.
    expect(second!.nonUniformity).toBeCloseTo(Math.log(0.5) / 4 + (3 * Math.log(1.5)) / 4, 12);
    expect([first, second, third].map((point) => point!.dominated)).toEqual([true, false, false]);
  });

  it('takes the mean over seeds, and is written as table and CSV', () => {
    const front = frontWith(
      [
        [1, 2],
        [2, 1],
      ],
      [0, 1, 2],
    )!;
    expect(front.points[0]!.losses['gray']).toBeCloseTo(1, 12);
    expect(front.points.map(({ title }) => title)).toEqual(['PBI, ray 1', 'PBI, ray 2']);
    expect(frontTable(front).rows[0]!.slice(0, 5)).toEqual([
      'PBI, ray 1',
      '0.800',
      '0.600',
      '1.000',
      '2.000',
    ]);
    const [heading, line] = frontCsv(front).split(/\r?\n/);
    expect(heading).toBe(
      'strategy,ray_gray,ray_color,test_loss_gray,test_loss_color,angle_degrees,non_uniformity,dominated',
    );
    expect(line).toContain(',0.8,0.6,');
  });

  it('is none for another comparison', () => {
    const { config, runs } = recordedComparison({ strategies: ['sum'] });
    expect(frontOf(summarize(config, runs))).toBeNull();
  });
});
