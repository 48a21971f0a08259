import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCommandLine } from '../command-line.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-native-command-'));
  vi.stubEnv('MULTIGRAD_NATIVE', join(folder, 'native'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

async function run(
  args: readonly string[],
  signal = new AbortController().signal,
): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await runCommandLine(['native', ...args], {
    terminal: null,
    print: (line) => out.push(line),
    complain: (line) => err.push(line),
    folder,
    signal,
  });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

describe('multigrad native', () => {
  it('explains itself', async () => {
    const { code, out } = await run(['install', '--help']);
    expect(code).toBe(0);
    for (const part of ['--gpu', '--wheel', '--tensorflow', '--force', 'C++ compiler', 'pip']) {
      expect(out).toContain(part);
    }
  });

  it('lists what is installed', async () => {
    const { code, out } = await run(['list']);
    expect(code).toBe(0);
    expect(out).toContain(`No build of native TensorFlow in ${join(folder, 'native')}.`);
    const build = join(folder, 'native/tensorflow-2.21.0-gpu');
    mkdirSync(build, { recursive: true });
    const { platform, arch } = process;
    const record = { format: 1, device: 'gpu', tensorflow: '2.21.0', platform, arch, gpu: false };
    writeFileSync(join(build, 'build.json'), JSON.stringify(record));
    expect((await run(['list'])).out).toBe(
      `TensorFlow 2.21.0, for CUDA devices (none answered when it was built): ${build}`,
    );
  });

  it('says what is missing, in one line, and leaves nothing half done', async () => {
    // A path with neither compiler nor anything else.
    vi.stubEnv('PATH', folder);
    vi.stubEnv('CXX', '');
    const { code, err } = await run(['install']);
    expect(code).toBe(1);
    expect(err).toMatch(/^error: Native TensorFlow cannot be installed: .* lacks a C\+\+ compiler/);
    expect((await run(['list'])).out).toContain('No build');
  });

  it('names a wheel that is not there by the folder of the command', async () => {
    const { code, err } = await run(['install', '--wheel', 'mine.whl']);
    expect(code).toBe(1);
    expect(err).toBe(
      `error: Cannot read the wheel ${join(folder, 'mine.whl')}: no such file or folder (ENOENT).`,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  it('ends with 130 when it is interrupted', async () => {
    const { code, err } = await run(['install'], AbortSignal.abort());
    expect(code).toBe(130);
    expect(err).toMatch(/^Interrupted: the same command goes on/);
  });
});
