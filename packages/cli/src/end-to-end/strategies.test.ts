import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Program, tiny } from '../testing/program.ts';

let program: Program;

beforeAll(() => {
  program = new Program();
});

afterAll(() => program.dispose());

describe('strategies', () => {
  it('trains another author’s strategy from a path', async () => {
    writeFileSync(
      program.path('mine.mjs'),
      `export const plugin = { specification: 1, name: 'mean', title: 'Mean', summary: 'Averages.', paper: null,
        options: { scale: { kind: 'number', default: 1, minimum: 0, description: 'A factor.' } },
        create: ({ scale = 1 } = {}) => ({ specification: 1, name: 'mean', needs: { gradients: 'gramian' }, init: () => null,
          integrate: ({ objectives }, state) => ({ weights: new Float64Array(objectives.length).fill(scale / objectives.length), state }) }) };`,
    );
    const { code, err } = await program.start([
      'train',
      'cg-mnist',
      '--strategy',
      './mine.mjs:scale=3',
      '--seed',
      '5',
      ...tiny,
      '--out',
      'mine',
      '--tensorboard',
    ]);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(program.json('mine', 'config.json')).toMatchObject({
      titles: { './mine.mjs:scale=3': 'Mean' },
    });
    const [step] = program.lines(
      join('mine', 'runs', 'mine.mjs-scale=3-seed5', 'steps.jsonl'),
    ) as unknown as { groups: { objectives: string[]; weights: number[] }[] }[];
    for (const { objectives, weights } of step!.groups) {
      if (objectives.length === 2) expect(weights).toEqual([1.5, 1.5]);
    }
    expect(
      readdirSync(program.path('mine', 'runs', 'mine.mjs-scale=3-seed5', 'tensorboard')),
    ).toEqual(['events.out.tfevents.0000000000.multigrad']);
  });

  it('loads a .js file without a package, and keeps every warning but Node’s about its type', async () => {
    mkdirSync(program.path('typeless'));
    writeFileSync(program.path('typeless', 'package.json'), '{}');
    writeFileSync(program.path('typeless', 'helper.js'), 'export const title = "Mine";');
    writeFileSync(
      program.path('typeless', 'mine.js'),
      `import { title } from './helper.js';
      process.emitWarning('an old option', 'DeprecationWarning', 'MINE');
      export const plugin = { specification: 1, name: 'mine', title, summary: 'Averages.', paper: null, options: {},
        create: () => { throw new Error('no use'); } };`,
    );
    const { code, err } = await program.start(['cite', './typeless/mine.js']);
    expect(err).toContain('[MINE] DeprecationWarning: an old option');
    expect(err).not.toContain('MODULE_TYPELESS_PACKAGE_JSON');
    expect(code).toBe(0);
  });

  it('trains every kind of strategy, and lists those that refuse with their reasons', async () => {
    const { code, out } = await program.start([
      'compare',
      'cg-mnist',
      '--strategies',
      'db-mtl,modo,graddrop,krum,trimmed-mean',
      ...tiny,
      '--batch-size',
      '32',
      '--out',
      'kinds',
    ]);
    expect(code).toBe(0);
    for (const name of ['DB-MTL', 'MoDo', 'GradDrop']) {
      expect(out).toMatch(new RegExp(`^${name} +\\d`, 'm'));
    }
    expect(out).toContain(
      '† Krum was refused: Strategy `krum` with byzantine 0 and selected 1 needs at least 3 objectives',
    );
    expect(out).toContain('† Trimmed mean was refused: Strategy `trimmed-mean` with trim 1 needs');
    const again = await program.start([
      'compare',
      'cg-mnist',
      '--strategies',
      'krum,trimmed-mean',
      ...tiny,
      '--group-by',
      'shared',
      '--out',
      'shared',
    ]);
    expect(again.code).toBe(0);
    expect(again.out).not.toContain('refused');
  });

  it('groups by tensors under the same names in every run', async () => {
    const { code } = await program.start([
      'compare',
      'cg-mnist',
      '--strategies',
      'sum,mmpareto',
      ...tiny,
      '--group-by',
      'tensor',
      '--out',
      'tensors',
    ]);
    expect(code).toBe(0);
    const keys = ['sum', 'mmpareto'].map((name) => {
      const [step] = program.lines(
        'tensors',
        'runs',
        `${name}-seed0`,
        'steps.jsonl',
      ) as unknown as {
        groups: { key: string }[];
      }[];
      return step!.groups.map(({ key }) => key);
    });
    expect(keys[1]).toEqual(keys[0]);
    expect(keys[0]).toContain('gray/conv1/kernel');
  });

  it('goes on after a run that fails, and reports it', async () => {
    writeFileSync(
      program.path('failing.mjs'),
      `const strategy = { specification: 1, name: 'failing', needs: { gradients: 'none' }, init: () => null,
        integrate: ({ objectives, step }, state) => {
          if (step === 1) throw new Error('out of ideas');
          return { weights: new Float64Array(objectives.length).fill(1), state };
        } };
      export const plugin = { specification: 1, name: 'failing', title: 'Failing', summary: 'Fails.', paper: null, options: {}, create: () => strategy };`,
    );
    const { code, out, err } = await program.start([
      'compare',
      'cg-mnist',
      '--strategies',
      './failing.mjs,sum',
      ...tiny,
      '--out',
      'failed',
    ]);
    expect(code).toBe(1);
    expect(err).toContain('Failed: ./failing.mjs, seed 0:');
    expect(err).toContain('out of ideas');
    expect(out).toMatch(
      /† Failing, seed 0: failed in its first epoch, after 1 step: .*out of ideas/,
    );
    expect(program.json('failed', 'runs', 'sum-seed0', 'result.json')).toMatchObject({
      status: 'finished',
    });
  });
});
