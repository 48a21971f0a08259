import { expect, it } from 'vitest';
import { readPenguins } from './penguins.ts';

it('reads all penguins, with the counts as published', async () => {
  const table = await readPenguins();
  const { names, labels } = table.classes('species');
  const counts = names.map((_, species) => labels.filter((label) => label === species).length);
  expect(Object.fromEntries(names.map((name, k) => [name, counts[k]]))).toEqual({
    ...{ Adelie: 152, Chinstrap: 68, Gentoo: 124 },
  });
  expect(table.classes('sex').labels.filter((label) => label === -1)).toHaveLength(11);
  const mass = Array.from(table.numbers('body_mass_g').values).filter(Number.isFinite);
  expect(mass).toHaveLength(342);
  // The mean as published with the data set.
  expect(mass.reduce((a, b) => a + b) / mass.length).toBeCloseTo(4201.754, 3);
});
