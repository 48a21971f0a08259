import { type ChildProcess, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// The real program, as `npm run build` made it.
const program = fileURLToPath(new URL('../bin/multigrad.js', import.meta.url));
const tiny = [
  '--train-size',
  '128',
  '--test-size',
  '64',
  '--batch-size',
  '64',
  '--epochs',
  '1',
  '--width',
  '4',
  '--observe',
  '1',
  '--preset',
  'quick',
];
const comparison = [
  'compare',
  'cg-mnist',
  '--strategies',
  'joint,sum,mmpareto:gamma=2,rescale=tensor,pcgrad,mgda',
  ...tiny,
  '--out',
  'out',
];
let folder: string;
/** What the comparison that most tests look at printed; its folder is `out`, which none of them changes. */
let measured: Outcome;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-program-'));
  measured = await start(comparison);
});

/** A copy of the comparison's folder, for a test to change. */
function copyOfOut(name: string): string[] {
  cpSync(join(folder, 'out'), join(folder, name), { recursive: true });
  return [...comparison.slice(0, -1), name];
}

afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(
  args: readonly string[],
  onOutput: (child: ChildProcess, out: string) => void = () => undefined,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString();
      onOutput(child, out);
    });
    child.stderr.on('data', (data: Buffer) => {
      err += data.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

const lines = (path: string): Record<string, unknown>[] =>
  readFileSync(join(folder, path), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const json = (path: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(folder, path), 'utf8')) as Record<string, unknown>;

describe('multigrad compare', () => {
  it('measures every strategy and writes config, records, tables and report', () => {
    const { code, out, err } = measured;
    expect(err).toBe('');
    expect(code).toBe(0);
    // Piped: no bars, no colours, one line per epoch.
    expect(out).not.toContain('\u001b');
    expect(out).toMatch(
      /\[3\/5\] mmpareto:gamma=2,rescale=tensor, seed 0: 1 epoch of 2 steps\n {2}epoch 1\/1 .*test accuracy: multimodal \d+\.\d %/,
    );
    expect(out).toMatch(/^strategy +multimodal +gray +color +step +gray +color$/m);
    expect(out).toContain(`Report: ${join('out', 'report.html')}`);
    expect(readdirSync(join(folder, 'out')).sort()).toEqual([
      'config.json',
      'report.html',
      'runs',
      'table.csv',
      'table.md',
    ]);
    expect(readdirSync(join(folder, 'out', 'runs')).sort()).toEqual([
      'joint-seed0',
      'mgda-seed0',
      'mmpareto-gamma=2-rescale=tensor-seed0',
      'pcgrad-seed0',
      'sum-seed0',
    ]);
    for (const run of readdirSync(join(folder, 'out', 'runs'))) {
      const path = join('out', 'runs', run);
      expect(json(join(path, 'result.json'))).toMatchObject({
        status: 'finished',
        epochs: 1,
        steps: 2,
      });
      expect(lines(join(path, 'epochs.jsonl'))).toHaveLength(1);
      const steps = lines(join(path, 'steps.jsonl')) as unknown as {
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
    const weights = lines(join('out', 'runs', 'joint-seed0', 'steps.jsonl')) as unknown as {
      groups: { objectives: string[]; weights: number[] }[];
    }[];
    expect(
      weights[1]!.groups.find(({ objectives }) => objectives.includes('gray'))!.weights,
    ).toEqual([1, 0]);
    expect(readFileSync(join(folder, 'out', 'table.csv'), 'utf8').split('\r\n')).toHaveLength(7);
    expect(
      readFileSync(join(folder, 'out', 'report.html'), 'utf8').match(/<figure>/g)!.length,
    ).toBeGreaterThan(15);
  });

  it('leaves finished runs alone, says how to measure again, and goes on with what is missing', async () => {
    const args = copyOfOut('again');
    const kept = (): string =>
      readFileSync(join(folder, 'again', 'runs', 'sum-seed0', 'result.json'), 'utf8');
    const before = kept();
    const again = await start(args);
    expect(again.code).toBe(0);
    expect(again.out).toContain(
      'again already holds all that this asks for (5 runs); here are its results.',
    );
    expect(again.out).toContain('--force');
    expect(again.out).toMatch(/^strategy +multimodal/m);
    rmSync(join(folder, 'again', 'runs', 'mgda-seed0', 'result.json'));
    const rest = await start(args);
    expect(rest.code).toBe(0);
    expect(rest.out).toContain('4 runs of 5 finished before and kept; going on with the rest.');
    expect(rest.out).toContain('[1/1] mgda, seed 0');
    expect(kept()).toBe(before);
  });

  it('measures the same again: losses and accuracies agree to the last digit', async () => {
    expect((await start([...comparison.slice(0, -1), 'twin'])).code).toBe(0);
    for (const run of readdirSync(join(folder, 'out', 'runs'))) {
      const [one, two] = ['out', 'twin'].map((out) => {
        const [epoch] = lines(join(out, 'runs', run, 'epochs.jsonl'));
        const { train, test, conflicts } = epoch!;
        return { train, test, conflicts };
      });
      expect(two).toEqual(one);
    }
  });

  it('refuses the folder of another configuration before any training, naming the difference', async () => {
    const { code, out, err } = await start([...comparison, '--epochs', '2']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('epochs: 1 there, 2 now');
  });

  it('replaces results when told to', async () => {
    copyOfOut('replaced');
    const { code } = await start([
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
    expect(readdirSync(join(folder, 'replaced', 'runs'))).toEqual(['sum-seed0']);
  });

  it('refuses an unwritable folder before any training', async () => {
    writeFileSync(join(folder, 'file'), '');
    const { code, out, err } = await start(['compare', 'cg-mnist', '--out', join('file', 'out')]);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^error: Cannot use the output folder .*file.out: not a directory\.\n$/);
  });

  it('exits with 2 on a mistake', async () => {
    const { code, err } = await start(['compare', 'cg-mnist', '--strategies', 'mmparetto']);
    expect(code).toBe(2);
    expect(err).toContain('Did you mean `mmpareto`?');
    expect(existsSync(join(folder, 'runs'))).toBe(false);
  });

  it('stops at Ctrl-C after the step and keeps what was measured', async () => {
    const long = [
      'compare',
      'cg-mnist',
      '--strategies',
      'sum,mmpareto',
      '--train-size',
      '640',
      '--test-size',
      '64',
      '--batch-size',
      '64',
      '--epochs',
      '500',
      '--width',
      '4',
      '--out',
      'stopped',
    ];
    let sent = false;
    const { code, out, err } = await start(long, (child, text) => {
      if (sent || !text.includes('epoch 2/500')) return;
      sent = true;
      child.kill('SIGINT');
    });
    expect(code).toBe(130);
    expect(err).toContain('Interrupted: what was measured is kept');
    expect(out).toMatch(/^sum † +\d+\.\d/m);
    expect(out).toMatch(/† sum, seed 0: stopped after epoch \d+ of 500\./);
    expect(out).toContain('† mmpareto, seed 0: not run yet.');
    const result = json(join('stopped', 'runs', 'sum-seed0', 'result.json')) as {
      status: string;
      epochs: number;
    };
    expect(result.status).toBe('stopped');
    expect(lines(join('stopped', 'runs', 'sum-seed0', 'epochs.jsonl'))).toHaveLength(result.epochs);
    expect(readFileSync(join(folder, 'stopped', 'report.html'), 'utf8')).toContain(
      'sum, seed 0: stopped after epoch',
    );
    expect(readFileSync(join(folder, 'stopped', 'table.md'), 'utf8')).toContain('| sum † |');
  });

  it('lets no second program into a folder, and leaves at the second Ctrl-C with whole lines in its records', async () => {
    const out = 'left';
    const long = [
      'train',
      'cg-mnist',
      '--strategy',
      'sum',
      ...tiny,
      '--epochs',
      '500',
      '--out',
      out,
    ];
    const locked = join(folder, out, 'lock.json');
    let second: Promise<Outcome> | undefined;
    let left = false;
    const first = await start(long, (child, text) => {
      if (second === undefined && text.includes('epoch 2/500')) {
        second = start([...long, '--force']);
        void second.then(() => child.kill('SIGINT'));
      }
      if (!left && text.includes('Stopping after this step.')) {
        left = true;
        child.kill('SIGINT');
      }
    });
    const refused = await second;
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused!.err).toMatch(
      /^error: The output folder .*left is being written by process \d+ on /,
    );
    expect(first).toMatchObject({ code: 130, err: '' });
    expect(existsSync(join(folder, out, 'report.html'))).toBe(false);
    expect(lines(join(out, 'runs', 'sum-seed0', 'epochs.jsonl')).length).toBeGreaterThan(1);
    expect(existsSync(locked)).toBe(false);
  });

  it('goes on bit for bit after kill -9, from its checkpoints', async () => {
    const asked = [
      'train',
      'cg-mnist',
      '--strategy',
      'pcgrad',
      ...tiny,
      '--epochs',
      '4',
      '--batch-size',
      '32',
      '--checkpoint',
      '1',
    ];
    await start([...asked, '--out', 'whole']);
    const killed = await start([...asked, '--out', 'killed'], (child, text) => {
      if (text.includes('epoch 1/4')) child.kill('SIGKILL');
    });
    expect(killed.code).toBeNull();
    const again = await start(['resume', 'killed'], (child, text) => {
      if (text.includes('epoch 3/4')) child.kill('SIGKILL');
    });
    expect(again.out).toMatch(/Going on after step [4-8]\./);
    const end = await start(['resume', 'killed']);
    expect(end).toMatchObject({ code: 0, err: '' });
    const run = (out: string) => join(out, 'runs', 'pcgrad-seed0');
    const figures = (out: string, file: string) =>
      lines(join(run(out), file)).map((line) => {
        const { train, test, step, epoch, losses, conflicts, groups } = line as Record<
          string,
          unknown
        >;
        return { train, test, step, epoch, losses, conflicts, groups };
      });
    for (const file of ['epochs.jsonl', 'steps.jsonl']) {
      expect(figures('killed', file)).toEqual(figures('whole', file));
    }
    const weights = (out: string): Buffer => {
      const checkpoints = join(folder, run(out), 'checkpoints');
      const newest = readdirSync(checkpoints).sort().at(-1)!;
      return readFileSync(join(checkpoints, newest, 'weights.safetensors'));
    };
    expect(weights('killed').equals(weights('whole'))).toBe(true);
    const result = JSON.parse(
      readFileSync(join(folder, run('killed'), 'result.json'), 'utf8'),
    ) as object;
    expect(result).toMatchObject({ status: 'finished', epochs: 4, steps: 16 });
  });

  it('goes on after a run that fails, and reports it', async () => {
    writeFileSync(
      join(folder, 'failing.mjs'),
      `const strategy = { specification: 1, name: 'failing', needs: { gradients: 'none' }, init: () => null,
        integrate: ({ objectives, step }, state) => {
          if (step === 1) throw new Error('out of ideas');
          return { weights: new Float64Array(objectives.length).fill(1), state };
        } };
      export const plugin = { specification: 1, name: 'failing', title: 'Failing', summary: 'Fails.', paper: null, options: {}, create: () => strategy };`,
    );
    const { code, out, err } = await start([
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
      /† \.\/failing\.mjs, seed 0: failed in its first epoch, after 1 step: .*out of ideas/,
    );
    expect(json(join('failed', 'runs', 'sum-seed0', 'result.json'))).toMatchObject({
      status: 'finished',
    });
  });
});

describe('multigrad train', () => {
  it('trains another author’s strategy from a path', async () => {
    writeFileSync(
      join(folder, 'mine.mjs'),
      `export const plugin = { specification: 1, name: 'mean', title: 'Mean', summary: 'Averages.', paper: null,
        options: { scale: { kind: 'number', default: 1, minimum: 0, description: 'A factor.' } },
        create: ({ scale = 1 } = {}) => ({ specification: 1, name: 'mean', needs: { gradients: 'gramian' }, init: () => null,
          integrate: ({ objectives }, state) => ({ weights: new Float64Array(objectives.length).fill(scale / objectives.length), state }) }) };`,
    );
    const { code, err } = await start([
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
    const [step] = lines(
      join('mine', 'runs', 'mine.mjs-scale=3-seed5', 'steps.jsonl'),
    ) as unknown as { groups: { objectives: string[]; weights: number[] }[] }[];
    for (const { objectives, weights } of step!.groups) {
      if (objectives.length === 2) expect(weights).toEqual([1.5, 1.5]);
    }
    expect(
      readdirSync(join(folder, 'mine', 'runs', 'mine.mjs-scale=3-seed5', 'tensorboard')),
    ).toEqual(['events.out.tfevents.0000000000.multigrad']);
  });

  it('trains every kind of strategy, and lists those that refuse with their reasons', async () => {
    const { code, out } = await start([
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
    for (const name of ['db-mtl', 'modo', 'graddrop']) {
      expect(out).toMatch(new RegExp(`^${name} +\\d`, 'm'));
    }
    expect(out).toContain(
      '† krum was refused: Strategy `krum` with byzantine 0 and selected 1 needs at least 3 objectives',
    );
    expect(out).toContain('† trimmed-mean was refused: Strategy `trimmed-mean` with trim 1 needs');
    const again = await start([
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
    const { code } = await start([
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
      const [step] = lines(join('tensors', 'runs', `${name}-seed0`, 'steps.jsonl')) as unknown as {
        groups: { key: string }[];
      }[];
      return step!.groups.map(({ key }) => key);
    });
    expect(keys[1]).toEqual(keys[0]);
    expect(keys[0]).toContain('gray/conv1/kernel');
  });
});

describe('multigrad analyze', () => {
  it('draws gradients at fixed weights and the loss landscape, and writes their numbers', async () => {
    const { code, err } = await start([
      'analyze',
      'av-digits',
      '--strategies',
      'sum',
      ...tiny,
      '--batches',
      '2',
      '--grid',
      '3',
      '--landscape-size',
      '64',
      '--out',
      'analysis',
    ]);
    expect(err).toBe('');
    expect(code).toBe(0);
    const html = readFileSync(join(folder, 'analysis', 'report.html'), 'utf8');
    for (const id of ['gradient-size', 'gradient-covariance', 'landscape'])
      expect(html).toContain(`<section id="${id}">`);
    expect(html).toContain('multigrad analyze av-digits --strategies sum');
    for (const file of ['cosines.csv', 'gradients.csv', 'landscape.csv']) {
      const table = readFileSync(join(folder, 'analysis', file), 'utf8')
        .trim()
        .split('\r\n');
      expect(table.length).toBeGreaterThan(3);
      expect(table.every((line) => line.split(',').length === table[0]!.split(',').length)).toBe(
        true,
      );
    }
    const records = lines(join('analysis', 'runs', 'sum-seed0', 'analysis.jsonl'));
    expect(records.map(({ kind }) => kind)).toEqual(['gradients', 'gradients', 'landscape']);
  });
});

describe('multigrad compare with data of the user’s own', () => {
  it('trains clothing and digit from a folder of four files, and says what is wrong with another', async () => {
    const file = (count: number, side: number): Uint8Array => {
      const bytes = Uint8Array.from({ length: 16 + count * side * side }, (_, i) => (i * i) % 251);
      const view = new DataView(bytes.buffer);
      [0x0803, count, side, side].forEach((value, k) => view.setUint32(4 * k, value));
      return bytes;
    };
    const labels = (count: number): Uint8Array => {
      const bytes = Uint8Array.from({ length: 8 + count }, (_, i) => i % 10);
      const view = new DataView(bytes.buffer);
      [0x0801, count].forEach((value, k) => view.setUint32(4 * k, value));
      return bytes;
    };
    mkdirSync(join(folder, 'fashion'));
    for (const [name, count] of [
      ['train', 200],
      ['t10k', 64],
    ] as const) {
      writeFileSync(join(folder, 'fashion', `${name}-images-idx3-ubyte`), file(count, 28));
      writeFileSync(join(folder, 'fashion', `${name}-labels-idx1-ubyte`), labels(count));
    }
    const own = tiny.filter((_, k) => !['--width', '4'].includes(tiny[k]!));
    const args = ['compare', 'fashion-and-digit', '--strategies', 'sum', ...own];
    const sizes = ['--validation-size', '20', '--data', 'fashion', '--out', 'clothes'];
    const { code, out, err } = await start([...args, ...sizes]);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toMatch(/^sum +\d/m);
    expect(out).toContain('left');
    writeFileSync(
      join(folder, 'fashion', 'train-images-idx3-ubyte'),
      file(200, 28).subarray(0, 1000),
    );
    const cut = await start([...args, ...sizes.slice(0, -1), 'cut']);
    expect(cut.code).toBe(1);
    expect(cut.err).toContain('train-images-idx3-ubyte: expected 156800 elements');
    expect(cut.err).toContain('the file is cut short');
  });
});

describe('multigrad report', () => {
  it('draws tables and report anew from the files', async () => {
    copyOfOut('drawn');
    for (const file of ['report.html', 'table.csv', 'table.md'])
      rmSync(join(folder, 'drawn', file));
    const { code, out } = await start(['report', 'drawn']);
    expect(code).toBe(0);
    expect(out).toMatch(/^strategy +multimodal/m);
    const [before, after] = ['out', 'drawn'].map((name) =>
      ['report.html', 'table.csv', 'table.md'].map((file) =>
        readFileSync(join(folder, name, file), 'utf8').replace(
          'multigrad report drawn',
          'multigrad report out',
        ),
      ),
    );
    expect(after).toEqual(before);
  });
});

describe('multigrad check', () => {
  it('finds the gradients of every variable right', async () => {
    const { code, out, err } = await start([
      'check',
      'cg-mnist',
      ...tiny,
      '--batch-size',
      '16',
      '--samples',
      '1',
    ]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /CG-MNIST on \w+: \d+ gradients of \d+ variables checked at 1 entry each; all agree/,
    );
  });
});
