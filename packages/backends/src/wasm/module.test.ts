import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readWasm } from '../testing/wasm-instructions.ts';
import { backendBinary } from './backend-binary.ts';
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

  // kernels/THREADS.md says why.
  it.each(['plain', 'relaxed'] as const)(
    'touch no memory that a thread may not know of: %s',
    (variant) => {
      const { functions, inTable } = readWasm(moduleBytes(variant));
      const all = functions.flat();
      // Of memory and tables, on whole blocks: init, drop, copy, fill.
      expect(all.filter(({ opcode, sub }) => opcode === 0xfc && sub >= 8)).toEqual([]);
      // The reader sees all there is: each function ends, and there are SIMD and atomic instructions.
      for (const instructions of functions)
        expect(instructions.at(-1)).toEqual({ opcode: 11, sub: 0 });
      expect(all.filter(({ opcode }) => opcode === 0xfd).length).toBeGreaterThan(1000);
      const atomics = functions.filter((body) => body.some(({ opcode }) => opcode === 0xfe));
      expect(atomics.length).toBeGreaterThanOrEqual(5);
      // What runs as a piece has no atomic instruction, which engines check against the size that they know.
      expect(inTable.length).toBeGreaterThanOrEqual(9);
      const grow = 0x40;
      for (const index of inTable) {
        const checked = functions[index]!.filter(
          ({ opcode }) => opcode === 0xfe || opcode === grow,
        );
        expect(checked).toEqual([]);
      }
    },
  );

  it('take a shared memory once they are told to', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
    const env = { memory, wait_for_threads: () => undefined };
    const bytes = moduleBytes('plain');
    expect(() => new WebAssembly.Instance(new WebAssembly.Module(bytes), { env })).toThrow(
      WebAssembly.LinkError,
    );
    const shared = new WebAssembly.Module(withSharedMemory(bytes));
    expect(new WebAssembly.Instance(shared, { env }).exports).toHaveProperty('work');
    const empty = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
    expect(() => withSharedMemory(empty)).toThrow('no memory with a maximum');
  });
});

describe("TensorFlow.js's binary, which is embedded", () => {
  it('is that of the package whose version ours depends on, byte for byte', async () => {
    const require = createRequire(import.meta.url);
    const folder = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
    const theirs = readFileSync(join(folder, 'tfjs-backend-wasm-simd.wasm'));
    expect(Buffer.compare(await backendBinary(false), theirs)).toBe(0);
    const { version } = require('@tensorflow/tfjs-backend-wasm/package.json') as {
      version: string;
    };
    const { dependencies } = require('../../package.json') as {
      dependencies: Record<string, string>;
    };
    expect(dependencies['@tensorflow/tfjs-backend-wasm']).toBe(version);
    const module = readFileSync(new URL('./backend-binary.generated.ts', import.meta.url), 'utf8');
    expect(module).toContain(`@tensorflow/tfjs-backend-wasm ${version}`);
  });
});
