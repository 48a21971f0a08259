import '@tensorflow/tfjs-layers';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../command-line.ts';
import { advise } from './advice.ts';
import type { Findings } from './examine.ts';
import { findingLines } from './doctor.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-doctor-'));
  // Whatever this machine has is not looked for.
  vi.stubEnv('MULTIGRAD_NATIVE', folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

async function run(...args: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const code = await runCommandLine(['doctor', ...args], {
    terminal: null,
    print: (line) => lines.push(line),
    complain: (line) => lines.push(line),
    folder,
    signal: new AbortController().signal,
  });
  return { code, lines };
}

describe('multigrad doctor', () => {
  it('tells versions, backends, speeds, the choice and what would be faster', async () => {
    const { code, lines } = await run();
    const text = lines.join('\n');
    expect(code).toBe(0);
    expect(text).toMatch(/^multigrad \d.*, TensorFlow\.js 4\.22\.0, Node \d/);
    expect(text).toContain(`builds                     none in ${folder}`);
    expect(text).toMatch(/^wasm {9}right \(\de-\d\) +\d[\d.]* GFLOPS +\d[\d.]* GFLOPS$/m);
    expect(text).toMatch(/^wasm computes on \d+ threads? \(\d+ run at once here, 8 at most\)\.$/m);
    // Whatever this machine has of it.
    expect(text).toMatch(/^webgpu {7}(Backend `webgpu` did not start: .*\(.*\)\.|(right|WRONG) )/m);
    expect(text).toMatch(/^cpu {10}right \(\de-\d\)/m);
    expect(text).toMatch(/^Used: wasm \(/m);
    expect(text).toMatch(/multigrad native install|npm install @tensorflow\/tfjs-node/);
  });

  it('tells the same to programs', async () => {
    const { code, lines } = await run('--json');
    expect(code).toBe(0);
    const findings = JSON.parse(lines.join('\n')) as Findings;
    expect(findings.choice.name).toBe('wasm');
    expect(findings.backends.map(({ name }) => name)).toEqual([
      'tensorflow',
      'webgpu',
      'wasm',
      'cpu',
    ]);
  });
});

const findings: Findings = {
  versions: { multigrad: '1.0.0', platform: 'linux x64' },
  processor: 'A processor',
  processors: 4,
  vectors: ['AVX2'],
  native: { driver: false, packages: [], builds: [], folder: '/x' },
  backends: [
    {
      name: 'wasm',
      failure: null,
      report: null,
      test: { gradientError: NaN, matmul: 40.2, convolution: 1.23 },
    },
    { name: 'cpu', failure: 'no reason', report: null, test: null },
  ],
  choice: { name: 'wasm', ownKernels: true, reason: 'asked for' },
};

describe('what the doctor says', () => {
  it('tells wrong gradients apart', () => {
    const lines = findingLines(findings);
    expect(lines).toContain(
      'wasm         WRONG (NaN)             40 GFLOPS               1.2 GFLOPS',
    );
    expect(lines).toContain('cpu          no reason');
    expect(lines).toContain('4 × A processor, AVX2');
  });

  it('tells on which device a backend computes', () => {
    const gpu = { device: 'maker model', software: false };
    const lines = (software: boolean): string[] => {
      const report = { ...findings.choice, name: 'webgpu', gpu: { ...gpu, software } };
      const examined = { ...findings.backends[0]!, name: 'webgpu', report };
      return findingLines({ ...findings, backends: [examined] });
    };
    expect(lines(false)).toContain('webgpu computes on maker model.');
    expect(lines(true)).toContain('webgpu computes on maker model, played by the processor.');
  });

  it('tells how many threads answer, and what became of the others', () => {
    const lines = (threads: number, threadsReason: string): string[] => {
      const wasm = { threads, threadsReason, simd: 'relaxed' } as const;
      const examined = { ...findings.backends[0]!, report: { ...findings.choice, wasm } };
      return findingLines({ ...findings, backends: [examined] });
    };
    expect(lines(2, '2 run at once here, 8 at most')).toContain(
      'wasm computes on 2 threads (2 run at once here, 8 at most).',
    );
    const missing = 'asked for; 1 of 2 are missing: thread 1 did not start: refused';
    expect(lines(1, missing)).toContain(`wasm computes on 1 thread (${missing}).`);
  });

  it('advises by what is there', () => {
    const { native, choice } = findings;
    expect(advise(findings)[1]).toContain('multigrad native install ');
    const mac = { ...findings, versions: { platform: 'darwin arm64' } };
    expect(advise(mac)[1]).toContain('npm install @tensorflow/tfjs-node');
    const withDriver = { ...findings, native: { ...native, driver: true } };
    expect(advise(withDriver)[1]).toContain('--gpu');
    const onProcessor = { ...choice, name: 'tensorflow', reason: 'on the processor' };
    expect(advise({ ...findings, choice: onProcessor })).toHaveLength(1);
    const onGpu = { ...choice, name: 'tensorflow', reason: 'TensorFlow 2.21.0 on a GPU, from x' };
    expect(advise({ ...withDriver, choice: onGpu })).toEqual(['Nothing is faster than this here.']);
  });
});
