import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EpochRecord } from '../runs/records.ts';
import { Program, tiny } from '../testing/program.ts';

let program: Program;

beforeAll(() => {
  program = new Program();
});

afterAll(() => program.dispose());

describe('multigrad compare --contribution', () => {
  it('writes contributions into records, tables, report and export', async () => {
    const { code, err } = await program.start([
      ...['compare', 'cg-mnist', '--strategies', 'sum,only-gray', ...tiny, '--epochs', '2'],
      ...['--contribution', 'mean', '--contribution-every', '1', '--out', 'out'],
    ]);
    expect(err).toBe('');
    expect(code).toBe(0);
    const epochs = program.lines('out', 'runs', 'sum-seed0', 'epochs.jsonl');
    const measured = (epochs as unknown as EpochRecord[]).map(({ contribution }) => contribution!);
    expect(measured).toHaveLength(2);
    for (const { contributions, joint, chance, modalities, samples } of measured) {
      expect(modalities).toEqual(['gray', 'color']);
      expect(samples).toBe(64);
      const total = contributions['gray']!.value + contributions['color']!.value;
      expect(total).toBeCloseTo(joint - chance, 14);
    }
    const csv = readFileSync(program.path('out', 'contributions.csv'), 'utf8').split('\n');
    expect(csv[0]).toMatch(/^strategy,seed,lr,epoch,masks,class,samples,modality,contribution,/);
    expect(csv[1]).toMatch(/^sum,0,0\.01,1,mean,all,64,gray,/);
    const table = readFileSync(program.path('out', 'table.md'), 'utf8');
    expect(table).toContain('## Modalities');
    // One modality was trained alone beside the others.
    expect(table).toMatch(/\| strategy \| modality .*\| trained alone \(test %\) \|/);
    const report = readFileSync(program.path('out', 'report.html'), 'utf8');
    for (const id of ['contributions', 'contribution', 'class-contribution', 'contribution-epochs'])
      expect(report).toContain(`<section id="${id}">`);
    const exported = await program.start([
      ...['report', 'out', '--export', 'paper', '--formats', 'svg'],
    ]);
    expect(exported.err).toBe('');
    expect(readFileSync(program.path('paper', 'contributions.tex'), 'utf8')).toContain('tabular');
    expect(readFileSync(program.path('paper', 'contributions.csv'), 'utf8')).toBe(csv.join('\n'));
    expect(readFileSync(program.path('paper', 'contribution.svg'), 'utf8')).toContain('<svg');
  });

  it('refuses tasks, before it makes a folder', async () => {
    const { code, err } = await program.start([
      ...['train', 'multi-mnist', '--strategy', 'sum', '--train-size', '64', '--test-size', '64'],
      ...['--contribution', 'zero', '--out', 'tasks'],
    ]);
    expect(code).not.toBe(0);
    expect(err).toContain('This experiment has objectives side by side and no modalities');
    expect(() => readFileSync(program.path('tasks', 'config.json'))).toThrow('ENOENT');
  });
});
