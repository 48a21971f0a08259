import { cpSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, Program, tiny } from '../testing/program.ts';

const comparison = [
  'compare',
  'cg-mnist',
  '--strategies',
  'joint,sum,mmpareto:gamma=2,rescale=tensor,pcgrad,mgda',
  ...tiny,
  '--out',
  'out',
];
let program: Program;
/** What the comparison that most tests look at printed; its folder is `out`, which none of them changes. */
let measured: Outcome;

beforeAll(async () => {
  program = new Program();
  measured = await program.start(comparison);
});

afterAll(() => program.dispose());

/** A copy of the comparison's folder, for a test to change. */
function copyOfOut(name: string): string[] {
  cpSync(program.path('out'), program.path(name), { recursive: true });
  return [...comparison.slice(0, -1), name];
}

describe('multigrad compare', () => {
  it('measures every strategy and writes config, records, tables and report', () => {
    const { code, out, err } = measured;
    expect(err).toBe('');
    expect(code).toBe(0);
    // Piped: no bars, no colours, one line per epoch.
    expect(out).not.toContain('\u001b');
    expect(out).toMatch(
      /\[3\/5\] mmpareto:gamma=2,rescale=tensor, seed 0: 1 epoch of 2 steps\n {2}epoch 1\/1 .*test: multimodal \d+\.\d %/,
    );
    expect(out).toMatch(/^strategy +multimodal +gray +color +step +gray +color$/m);
    expect(out).toContain(`Report: ${join('out', 'report.html')}`);
    expect(readdirSync(program.path('out')).sort()).toEqual([
      'config.json',
      'report.html',
      'runs',
      'table.csv',
      'table.md',
    ]);
    expect(readdirSync(program.path('out', 'runs')).sort()).toEqual([
      'joint-seed0',
      'mgda-seed0',
      'mmpareto-gamma=2-rescale=tensor-seed0',
      'pcgrad-seed0',
      'sum-seed0',
    ]);
    for (const run of readdirSync(program.path('out', 'runs'))) {
      const path = join('out', 'runs', run);
      expect(program.json(path, 'result.json')).toMatchObject({
        status: 'finished',
        epochs: 1,
        steps: 2,
      });
      expect(program.lines(path, 'epochs.jsonl')).toHaveLength(1);
      const steps = program.lines(path, 'steps.jsonl') as unknown as {
        step: number;
        groups: { key: string; objectives: string[]; norms: number[] | null }[];
      }[];
      expect(steps.map(({ step }) => step)).toEqual([0, 1]);
      // Every strategy is looked at: both encoders, in each of these steps.
      const shared = steps[0]!.groups.filter(({ objectives }) => objectives.length > 1);
      expect(shared.map(({ objectives }) => objectives)).toEqual([
        ['multimodal', 'gray'],
        ['multimodal', 'color'],
      ]);
      for (const { norms } of shared) expect(norms).toHaveLength(2);
    }
    const weights = program.lines('out', 'runs', 'joint-seed0', 'steps.jsonl') as unknown as {
      groups: { objectives: string[]; weights: number[] }[];
    }[];
    expect(
      weights[1]!.groups.find(({ objectives }) => objectives.includes('gray'))!.weights,
    ).toEqual([1, 0]);
    expect(program.text('out', 'table.csv').split('\r\n')).toHaveLength(7);
    expect(program.text('out', 'report.html').match(/<figure>/g)!.length).toBeGreaterThan(15);
  });

  it('leaves finished runs alone, says how to measure again, and goes on with what is missing', async () => {
    const args = copyOfOut('again');
    const kept = (): string => program.text('again', 'runs', 'sum-seed0', 'result.json');
    const before = kept();
    const again = await program.start(args);
    expect(again.code).toBe(0);
    expect(again.out).toContain(
      'again already holds all that this asks for (5 runs); here are its results.',
    );
    expect(again.out).toContain('--force');
    expect(again.out).toMatch(/^strategy +multimodal/m);
    rmSync(program.path('again', 'runs', 'mgda-seed0', 'result.json'));
    const rest = await program.start(args);
    expect(rest.code).toBe(0);
    expect(rest.out).toContain('4 runs of 5 finished before and kept; going on with the rest.');
    expect(rest.out).toContain('[1/1] mgda, seed 0');
    expect(kept()).toBe(before);
  });

  it('measures the same again: losses and accuracies agree to the last digit', async () => {
    expect((await program.start([...comparison.slice(0, -1), 'twin'])).code).toBe(0);
    for (const run of readdirSync(program.path('out', 'runs'))) {
      const [one, two] = ['out', 'twin'].map((out) => {
        const [epoch] = program.lines(out, 'runs', run, 'epochs.jsonl');
        const { train, test, conflicts } = epoch!;
        return { train, test, conflicts };
      });
      expect(two).toEqual(one);
    }
  });

  it('refuses the folder of another configuration before any training, naming the difference', async () => {
    const { code, out, err } = await program.start([...comparison, '--epochs', '2']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('epochs: 1 there, 2 now');
  });

  it('replaces results when told to', async () => {
    copyOfOut('replaced');
    const { code } = await program.start([
      'compare',
      'cg-mnist',
      '--strategies',
      'sum',
      ...tiny,
      '--out',
      'replaced',
      '--force',
    ]);
    expect(code).toBe(0);
    expect(readdirSync(program.path('replaced', 'runs'))).toEqual(['sum-seed0']);
  });

  it('refuses an unwritable folder before any training', async () => {
    writeFileSync(program.path('file'), '');
    const { code, out, err } = await program.start([
      'compare',
      'cg-mnist',
      '--out',
      join('file', 'out'),
    ]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(
      /^error: Cannot use the output folder .*file.out: not a directory \(ENOTDIR\)\.\n$/,
    );
  });

  it('exits with 2 on a mistake', async () => {
    const { code, err } = await program.start(['compare', 'cg-mnist', '--strategies', 'mmparetto']);
    expect(code).toBe(2);
    expect(err).toContain('Did you mean `mmpareto`?');
    expect(existsSync(program.path('runs'))).toBe(false);
  });
});

describe('multigrad report', () => {
  it('draws tables and report anew from the files', async () => {
    copyOfOut('drawn');
    for (const file of ['report.html', 'table.csv', 'table.md'])
      rmSync(program.path('drawn', file));
    const { code, out } = await program.start(['report', 'drawn']);
    expect(code).toBe(0);
    expect(out).toMatch(/^strategy +multimodal/m);
    const [before, after] = ['out', 'drawn'].map((name) =>
      ['report.html', 'table.csv', 'table.md'].map((file) =>
        program.text(name, file).replace('multigrad report drawn', 'multigrad report out'),
      ),
    );
    expect(after).toEqual(before);
  });
});
