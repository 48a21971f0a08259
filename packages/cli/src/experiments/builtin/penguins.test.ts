import { useBackend } from '@multigrad/backends';
import { expectConstantMemory } from '@multigrad/test-support';
import { beforeAll, expect, it } from 'vitest';
import { trainOnce } from '../../testing/train-once.ts';
import { requireExperiment } from '../index.ts';
import { resolveSettings } from '../settings.ts';

const experiment = requireExperiment('penguins');

beforeAll(async () => {
  await useBackend('wasm');
});

it('learns species and mass from the real data, cross-validated, with missing labels left out', async () => {
  await expectConstantMemory(async () => {
    const settings = resolveSettings(experiment, 'quick', { epochs: '20', lr: '0.03' });
    const { result, epochs, steps } = await trainOnce(
      { experiment, settings, strategy: 'sum', seed: 3 },
      { backend: 'wasm' },
    );
    expect(result.error).toBeUndefined();
    const [first, last] = [epochs[0]!, epochs.at(-1)!];
    expect(Object.keys(last.test)).toEqual(['species', 'sex', 'mass']);
    // Two thirds of the penguins are of one of two species, and mass follows the flipper.
    expect(last.test['species']!['accuracy']).toBeGreaterThan(0.9);
    expect(last.test['mass']!['error']).toBeLessThan(0.6);
    expect(last.test['mass']!['error']).toBeLessThan(first.test['mass']!['error']!);
    const shared = steps.at(-1)!.groups.filter(({ objectives }) => objectives.length > 1);
    expect(shared.map(({ objectives }) => objectives)).toEqual([['species', 'sex', 'mass']]);
  });
});

it('names what does not fit', async () => {
  const settings = resolveSettings(experiment, 'quick', { 'validation-size': '260' });
  await expect(experiment.open(settings, 0)).rejects.toThrow(
    'should leave 30 penguins to train on. Found 5 and 260 for 344 penguins.',
  );
});
