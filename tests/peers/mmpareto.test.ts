import { integrateMatrix } from '@multigrad/core/strategy';
import { mmpareto } from '@multigrad/strategy-mmpareto';
import { describe, expect, it } from 'vitest';
import { recordOf } from './recorded.ts';

// docs/from-mmpareto.md says that `rescale: 'tensor'` is the official loop: these are the gradients that the loop itself was
// given on small networks, and those that it handed to the optimizer, as scripts/check-peers/run recorded them.

type Gradients = Record<string, number[]>;

interface Case {
  readonly found: {
    readonly gradients: {
      readonly both: Gradients;
      readonly audio: Gradients;
      readonly visual: Gradients;
    };
    readonly handed: Gradients;
  };
}

const modalities = ['audio', 'visual'] as const;

const cases = recordOf('mmpareto').cases as Case[];

describe.each(cases.map(({ found }, at) => [at, found] as const))(
  'the official MMPareto loop on network %i',
  (_, { gradients, handed }) => {
    it.each(modalities)('hands on what `rescale: tensor` makes of the %s encoder', (modality) => {
      const names = Object.keys(gradients[modality]).filter((name) => !name.startsWith('head'));
      expect(names).toEqual([`${modality}_kernel`, `${modality}_bias`]);
      const rowOf = (loss: 'both' | 'audio' | 'visual'): number[] =>
        names.flatMap((name) => gradients[loss][name]!);
      const { update } = integrateMatrix(
        mmpareto({ gamma: 1.5, rescale: 'tensor' }),
        [rowOf('both'), rowOf(modality)],
        { tensors: names.map((name) => ({ name, size: gradients.both[name]!.length })) },
      );
      const expected = names.flatMap((name) => handed[name]!);
      const length = Math.hypot(...expected);
      // Its solver's ends are .999 and .001, and it adds nothing else.
      const distance = Math.hypot(...expected.map((value, c) => value - update[c]!));
      expect(distance / length).toBeLessThan(3e-3);
    });

    it('hands on the plain gradients of heads', () => {
      const expectSame = (found: number[], expected: number[]): void => {
        expect(found.length).toBe(expected.length);
        found.forEach((value, c) => expect(value).toBeCloseTo(expected[c]!, 9));
      };
      expectSame(handed['head']!, gradients.both['head']!);
      for (const modality of modalities) {
        expectSame(handed[`head_${modality}`]!, gradients[modality][`head_${modality}`]!);
      }
    });
  },
);

it('the cases have conflicts and agreement', () => {
  const cosines = cases.flatMap(({ found: { gradients } }) =>
    modalities.map((modality) => {
      const names = [`${modality}_kernel`, `${modality}_bias`];
      const [a, b] = (['both', modality] as const).map((loss) =>
        names.flatMap((name) => gradients[loss][name]!),
      );
      return a!.reduce((total, value, c) => total + value * b![c]!, 0);
    }),
  );
  expect(cosines.filter((value) => value < 0).length).toBeGreaterThan(3);
  expect(cosines.filter((value) => value > 0).length).toBeGreaterThan(3);
});
