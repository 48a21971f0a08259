import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Call, callCommandLine } from './testing/call-command-line.ts';
import { visible } from './shared/visible.ts';
import { exitCodeOf } from './shared/exit-codes.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-command-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

async function run(...args: string[]): Promise<Call> {
  return callCommandLine(folder, args);
}

describe('what is printed', () => {
  it('steers no terminal', () => {
    expect(visible('a\u001b]0;title\u0007b\u202e\n\tc')).toBe(
      'a\\u001b]0;title\\u0007b\\u202e\n\tc',
    );
  });
});

describe('help', () => {
  it('shows every command, examples and exit codes', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    for (const part of [
      'compare',
      'train',
      'strategies',
      'report',
      'watch',
      'Examples:',
      'multigrad compare cg-mnist --preset quick',
      'Exit codes:',
    ]) {
      expect(out).toContain(part);
    }
  });

  it('lists the experiments of a command', async () => {
    expect((await run('compare', '--help')).out).toContain('cg-mnist');
  });

  it.each(['compare', 'train', 'front', 'analyze', 'check'])(
    'leads from %s to the settings of an experiment',
    async (name) => {
      const { code, out } = await run(name, '--help');
      expect(code).toBe(0);
      expect(out).toContain('Usage: multigrad ' + name + ' <experiment> [options]');
      expect(out).toMatch(/Experiments:\n {2}cg-mnist +CG-MNIST\n/);
      const [, hinted] = /^ {2}multigrad (.* --help)$/m.exec(out)!;
      const settings = await run(...hinted!.split(' '));
      expect(settings.code).toBe(0);
      expect(settings.out).toContain('--batch-size <number>');
    },
  );

  it('shows every setting with its values in both presets', async () => {
    const { code, out } = await run('compare', 'cg-mnist', '--help');
    expect(code).toBe(0);
    const flat = out.replaceAll(/\s+/g, ' ');
    for (const flag of [
      '--strategies',
      '--seeds',
      '--epochs',
      '--train-size',
      '--test-size',
      '--batch-size',
      '--width',
      '--lr',
      '--momentum',
      '--weight-decay',
      '--variance',
      '--backend',
      '--group-by',
      '--observe',
      '--out',
      '--preset',
      '--force',
    ]) {
      expect(flat).toContain(`${flag} `);
    }
    expect(flat).toContain('Passes over the training set, at least 1. (quick 4, full 8)');
    expect(flat).toContain(
      'for each strategy the one with the best validation score. (default 0.01)',
    );
    expect(flat).toContain('default joint,sum,mmpareto,pcgrad,mgda');
    expect(flat).toContain(
      'A comma before `key=` goes on with the options of the strategy before it',
    );
  });

  it('prints the version', async () => {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    const { version } = JSON.parse(manifest) as { version: string };
    expect(await run('--version')).toEqual({ code: 0, out: version, err: '' });
  });
});

describe('cite', () => {
  it('prints the entry of each paper, and of multigrad where none is named', async () => {
    const { code, out } = await run('cite', 'mmpareto:gamma=2,pcgrad', 'sum');
    expect(code).toBe(0);
    expect(out.match(/^@\w+\{.*$/gm)).toEqual([
      '@inproceedings{wei2024mmpareto,',
      '@inproceedings{yu2020pcgrad,',
    ]);
    expect(out).toContain('author        = {Yake Wei and Di Hu},');
    expect(out).toContain('% sum: no paper');
    const { out: own } = await run('cite');
    expect(own).toMatch(/^@misc\{multigrad,\n/);
    expect(own).toMatch(/url += \{https:.*\},/);
  });

  it('cites everything, each paper and each key once', async () => {
    const { out } = await run('cite', '--all');
    const keys = [...out.matchAll(/^@\w+\{(.*),$/gm)].map(([, key]) => key);
    expect(keys[0]).toBe('multigrad');
    expect(keys.length).toBeGreaterThan(25);
    expect(new Set(keys).size).toBe(keys.length);
    // Both IMTL strategies come from one paper.
    expect(out).toContain('% imtl-l: liu2021imtlg');
  });

  it('refuses strategies that nobody knows, and names beside --all', async () => {
    expect(await run('cite', 'mmparetto')).toMatchObject({ code: 2, out: '' });
    const { code, err } = await run('cite', '--all', 'sum');
    expect(code).toBe(2);
    expect(err).toContain('Found sum.');
  });
});

describe('strategies', () => {
  it('lists every strategy with its paper and its options', async () => {
    const { code, out } = await run('strategies');
    expect(code).toBe(0);
    for (const part of [
      'joint  (',
      'sum  (',
      'mmpareto  (MMPareto)',
      'pcgrad  (PCGrad)',
      'mgda  (MGDA)',
      'gamma=1.5',
      'a number >',
      'arxiv.org/abs/2405.17730',
      'ICML 2024',
      '"group" or "tensor"',
    ]) {
      expect(out).toContain(part);
    }
  });

  it('shows one in full', async () => {
    const { code, out } = await run('strategies', 'mmpareto');
    expect(code).toBe(0);
    const flat = out.replaceAll(/\s+/g, ' ');
    for (const part of [
      'mmpareto (MMPareto)',
      'For multimodal networks',
      'u = γ λ h with s = Σ_k g_k',
      'The update conflicts with no objective.',
      'Where the gradients are Pareto stationary the update is zero.',
      'gamma=1.5 (a number >= 1)',
      'rescale=group ("group" or "tensor")',
      'Yake Wei, Di Hu, MMPareto: Boosting',
      'multigrad compare cg-mnist --strategies sum,mmpareto:rescale=tensor',
    ]) {
      expect(flat).toContain(part);
    }
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('shows those that see losses alone, those made of others, and one’s own, in full', async () => {
    const { out: loss } = await run('strategies', 'famo,dwa');
    expect(loss).toMatch(/^famo {2}\(FAMO\)[^]*\n\ndwa {2}\(DWA\)/);
    expect(loss).toContain('D = L + 10⁻⁸');
    const { out: made } = await run('strategies', 'weightMomentum');
    expect(made).toContain('w ← α w + (1 − α) ŵ');
    expect(made).toContain("import { weightMomentum } from '@multigrad/composition';");
    writeFileSync(
      join(folder, 'mine.mjs'),
      `export const plugin = { specification: 1, name: 'mine', title: 'Mine', summary: 'Adds.', paper: null,
        formula: 'u = g_1', options: { rate: { kind: 'number', default: 2, minimum: 0, description: 'A rate.' } },
        create: () => ({ specification: 1, name: 'mine', needs: { gradients: 'none' }, init: () => null, integrate: () => null }) };`,
    );
    const { out: mine } = await run('strategies', './mine.mjs');
    expect(mine).toContain('mine  (Mine)');
    expect(mine).toContain('u = g_1');
    expect(mine).toContain('--strategies sum,./mine.mjs:rate=2');
    const { out: json } = await run('strategies', 'mmpareto', 'perGroup', '--json');
    expect((JSON.parse(json) as { formula: string }[]).map(({ formula }) => formula)).toEqual([
      expect.stringContaining('u = γ λ h'),
      expect.stringContaining('pattern'),
    ]);
  });

  it('refuses a name that nobody knows, and names beside --markdown', async () => {
    const { code, err } = await run('strategies', 'mmparetto');
    expect(code).toBe(2);
    expect(err).toContain('Did you mean `mmpareto`?');
    expect((await run('strategies', 'sum', '--markdown')).err).toContain('Found sum.');
  });

  it('lists them for programs too', async () => {
    const { out } = await run('strategies', '--json');
    const list = JSON.parse(out) as {
      name: string;
      options: Record<string, { default: unknown }>;
      paper: { year: number } | null;
    }[];
    expect(list.map(({ name }) => name)).toEqual([
      'joint',
      'only-gray',
      'only-color',
      'scaled-sum',
      'sum',
      'mmpareto',
      'pcgrad',
      'mgda',
      'imtl-g',
      'aligned-mtl',
      'conflict-free',
      'edm',
      'gradvac',
      'random-gradient-weighting',
      'krum',
      'upgrad',
      'dualproj',
      'cagrad',
      'nash-mtl',
      'fairgrad',
      'db-mtl',
      'moco',
      'modo',
      'sdmgrad',
      'graddrop',
      'trimmed-mean',
      'gradnorm',
      'epo',
      'excess-mtl',
      'pmgda',
      'ferero',
      'pcd',
      'uncertainty-weighting',
      'dwa',
      'famo',
      'gls',
      'smooth-tchebycheff',
      'imtl-l',
      'random-loss-weighting',
      'pbi',
      'cosmos',
      'go4align',
      'only-image',
      'only-audio',
      'only-left',
      'only-right',
      'only-segmentation',
      'only-depth',
      'only-normal',
      ...['only-species', 'only-sex', 'only-mass'],
      ...['only-fou', 'only-fac', 'only-kar', 'only-pix', 'only-zer', 'only-mor'],
      ...['only-diet-genes', 'only-diet-lipids'],
      ...['only-genotype', 'only-genotype-genes', 'only-genotype-lipids'],
      ...['only-common', 'only-moderate', 'only-severe'],
      ...Array.from({ length: 14 }, (_, k) => `only-class-${k + 1}`),
    ]);
    const mmpareto = list.find(({ name }) => name === 'mmpareto')!;
    expect(mmpareto.options['gamma']!.default).toBe(1.5);
    expect(mmpareto.paper!.year).toBe(2024);
  });
});

describe('mistakes on the command line', () => {
  it.each([
    [['compair', 'cg-mnist'], 'Did you mean compare?'],
    [['compare', 'cgmnist'], 'Did you mean cg-mnist?'],
    [['compare', 'cg-mnist', '--epoch', '3'], 'Did you mean --epochs?'],
    [
      ['compare', 'cg-mnist', '--epochs', '0'],
      'Option `epochs` of `cg-mnist` should be an integer >= 1. Found 0.',
    ],
    [
      ['compare', 'cg-mnist', '--seeds', 'two'],
      'Option `seeds` of `cg-mnist` should be an integer >= 1. Found "two".',
    ],
    [
      ['compare', 'cg-mnist', '--lr', '0.01,fast'],
      'Option `lr` of `cg-mnist` should be a number > 0.',
    ],
    [
      ['compare', 'cg-mnist', '--lr', '0.01,0.1', '--validation-size', '0'],
      'Option `lr` of `cg-mnist` selects by the validation set and needs a `validation-size` of at least 1.',
    ],
    [
      ['compare', 'cg-mnist', '--train-size', '60000'],
      'Options `train-size` and `validation-size` should add up to at most 60000. Found 60500.',
    ],
    [
      ['train', 'cg-mnist', '--strategy', 'sum', '--lr', '0.01,0.1'],
      'Option `lr` of `train` should be one learning rate; several are for `compare`. Found "0.01,0.1".',
    ],
    [['compare', 'cg-mnist', '--preset', 'slow'], 'Allowed choices are quick, full'],
    [['compare', 'cg-mnist', '--backend', 'gpu'], 'Option `backend` of `cg-mnist` should be'],
    [['compare', 'cg-mnist', '--strategies', 'sum,mmparetto'], 'Did you mean `mmpareto`?'],
    [['compare', 'cg-mnist', '--strategies', 'mmpareto:gama=2'], 'Did you mean `gamma`?'],
    [
      ['compare', 'cg-mnist', '--strategies', 'sum,gamma=2'],
      'should follow a strategy and a colon',
    ],
    [['compare', 'cg-mnist', '--strategies', 'sum,sum'], 'Found `sum` twice.'],
    [['train', 'cg-mnist', '--strategies', 'sum'], 'Did you mean --strategy?'],
    [['export', 'runs/mine', '--too', 'here'], "unknown option '--too'\n(Did you mean --to?)"],
    [['export', 'runs/mine'], "required option '--to <folder>' not specified"],
    [['export'], "missing required argument 'run'"],
    [['report', '--fast'], "unknown option '--fast'"],
    [['watch', '--prot', '80'], 'Did you mean --port?'],
    [
      ['compare', '--epochs', '3'],
      'An experiment comes first: multigrad compare cg-mnist --epochs …',
    ],
    [['train', '--strategy=sum'], 'multigrad train cg-mnist --strategy …'],
    [['train', 'cg-mnist'], "required option '--strategy <specifier>' not specified"],
    [
      ['train', 'cg-mnist', '--strategy', 'sum', '--seed', '-1'],
      'Option `seed` of `cg-mnist` should be an integer >= 0. Found -1.',
    ],
    [
      ['compare', 'crema-d'],
      'Option `data` of `crema-d` is required. CREMA-D does not come with the program',
    ],
    [['report'], "missing required argument 'folder'"],
    [['watch'], "missing required argument 'folder'"],
    [
      ['watch', '.', '--port', '65536'],
      'Option `port` of `watch` should be an integer from 0 to 65535.',
    ],
  ])('refuses %j with exit code 2', async (args, message) => {
    const { code, out, err } = await run(...args);
    expect(err).toContain(message);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  it('shows the help where no command is named', async () => {
    const { code, err } = await run();
    expect(code).toBe(2);
    expect(err).toContain('Usage: multigrad');
  });

  it('is told apart from failures', async () => {
    for (const command of ['report', 'watch']) {
      const { code, err } = await run(command, 'nowhere');
      expect(code).toBe(1);
      expect(err).toContain('nowhere holds no results: there is no config.json in it.');
    }
    expect(exitCodeOf('invalid-data')).toBe(1);
  });
});
