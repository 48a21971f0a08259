import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Program, tiny } from '../testing/program.ts';

let program: Program;

beforeAll(() => {
  program = new Program();
});

afterAll(() => program.dispose());

/** All training losses of a run. */
const losses = (...folder: string[]): unknown[] =>
  program.lines(...folder, 'epochs.jsonl').map((epoch) => (epoch as { train: unknown }).train);

describe('multigrad --balance', () => {
  it('crosses strategies and methods, and says which method begins too late', async () => {
    const { code, err, out } = await program.start([
      ...['compare', 'cg-mnist', '--strategies', 'sum', ...tiny, '--epochs', '2'],
      ...['--balance', 'none,ogm-ge,relearning,relearning:every=1', '--validation-size', '64'],
      ...['--out', 'out'],
    ]);
    expect(err).toBe('');
    expect(code).toBe(0);
    const run = (name: string): unknown[] => losses('out', 'runs', `${name}-seed0`);
    const plain = run('sum');
    expect(plain).toHaveLength(2);
    expect(run('sum+ogm-ge')).not.toEqual(plain);
    expect(run('sum+relearning')).toEqual(plain);
    expect(run('sum+relearning-every=1')).toHaveLength(2);
    expect(out).toContain(
      '`relearning` changes nothing in a training of 2 epochs: it begins in epoch 21.',
    );
    expect(out.match(/changes nothing/g)).toHaveLength(1);
  });

  it('names the method that was meant', async () => {
    const { code, err } = await program.start([
      ...[
        'train',
        'cg-mnist',
        ...tiny,
        '--strategy',
        'sum',
        '--balance',
        'ogm-gee',
        '--out',
        'misspelt',
      ],
    ]);
    expect(code).not.toBe(0);
    expect(err).toContain('Did you mean `ogm-ge`?');
  });
});
