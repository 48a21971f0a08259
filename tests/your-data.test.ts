import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useBackend } from '@multigrad/backends';
import type { Experiment } from '@multigrad/experiment';
import { expectConstantMemory, trainExperiment } from '@multigrad/test-support';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { drawShots, machinesCsv } from '../scripts/rehearse/fixtures/your-data.mjs';

// The experiments of docs/your-data.md, each trained on data of the kind that the page speaks of.

const page = readFileSync(join(import.meta.dirname, '../docs/your-data.md'), 'utf8');
const experiments = new Map(
  Array.from(page.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, code]) => code!).flatMap((code) => {
    const [, name] = /^ {2}name: '(.*)',$/m.exec(code) ?? [];
    return name === undefined ? [] : [[name, code] as const];
  }),
);
// Below the repository, so that experiments find the packages that they import.
const folder = mkdtempSync(join(import.meta.dirname, '.your-data-'));
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  await useBackend('wasm');
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'machines.csv'), machinesCsv());
  await drawShots(folder, sharp);
});

it('tries all experiments of the page', () => {
  expect([...experiments.keys()]).toEqual(['machines', 'shots', 'quarters']);
});

it.each([
  ['machines', { fault_accuracy: 0.9, replace_accuracy: 0.9 }, { hours_error: 0.4 }],
  ['shots', { multimodal_accuracy: 0.9, front_accuracy: 0.8, rear_accuracy: 0.8 }, {}],
  ['quarters', { multimodal_accuracy: 0.9 }, {}],
])(
  '%s learns',
  async (name, atLeast, atMost) => {
    await expectConstantMemory(async () => {
      const file = join(folder, `${name}.ts`);
      writeFileSync(file, experiments.get(name)!);
      const { experiment } = (await import(file)) as { experiment: Experiment };
      const metrics = await trainExperiment(experiment);
      for (const [metric, bound] of Object.entries(atLeast))
        expect(metrics[metric], metric).toBeGreaterThan(bound);
      for (const [metric, bound] of Object.entries(atMost))
        expect(metrics[metric], metric).toBeLessThan(bound);
    });
  },
  120_000,
);

it('says the same of mistakes as the page', async () => {
  const csv = machinesCsv().split('\n');
  csv[311] = csv[311]!.replace(/^([^,]*,[^,]*),[^,]*/, '$1,"0,8"');
  writeFileSync(join(folder, 'machines.csv'), csv.join('\n'));
  const { experiment } = (await import(join(folder, 'machines.ts'))) as { experiment: Experiment };
  const [told] = /^machines\.csv, line 312, .*$/m.exec(page)!;
  await expect(experiment.open({} as never, 0)).rejects.toThrow(told);
});
