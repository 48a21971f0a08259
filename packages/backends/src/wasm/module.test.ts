import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { kernelModule, moduleBytes, withSharedMemory } from './kernel-module.ts';
import { sourceHash } from './module.generated.ts';

interface Build {
  hashSources(): string;
  compile(): Record<'plain' | 'relaxed', Buffer>;
}

const build = (await import(new URL('../../kernels/build.mjs', import.meta.url).href)) as Build;
// Its output is null where there is no such program.
const compiler: { stdout: string | null } = spawnSync('clang-16', ['--version'], {
  encoding: 'utf8',
});

describe('the checked-in wasm binaries', () => {
  it('were made from the checked-in sources', () => {
    expect(sourceHash).toBe(build.hashSources());
    expect(WebAssembly.validate(moduleBytes('plain'))).toBe(true);
  });

  // Other compilers make other bytes of the same sources; the hash above holds everywhere.
  if (compiler.stdout !== null) {
    it('are what clang 16 makes of them, byte for byte', () => {
      const digest = (bytes: Uint8Array): string =>
        createHash('sha256').update(bytes).digest('hex');
      const made = build.compile();
      for (const variant of ['plain', 'relaxed'] as const) {
        expect(digest(moduleBytes(variant)), variant).toBe(digest(made[variant]));
      }
    });
  }

  it('use relaxed SIMD in Node, and leave its flag as it was', () => {
    const before = WebAssembly.validate(moduleBytes('relaxed'));
    expect(kernelModule(false).relaxedSimd).toBe(true);
    expect(WebAssembly.validate(moduleBytes('relaxed'))).toBe(before);
  });

  it('take a shared memory once they are told to', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
    const bytes = moduleBytes('plain');
    expect(
      () => new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }),
    ).toThrow(WebAssembly.LinkError);
    const shared = new WebAssembly.Module(withSharedMemory(bytes));
    expect(new WebAssembly.Instance(shared, { env: { memory } }).exports).toHaveProperty('work');
    const empty = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
    expect(() => withSharedMemory(empty)).toThrow('no memory with a maximum');
  });
});
