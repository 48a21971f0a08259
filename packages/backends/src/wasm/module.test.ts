import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { moduleBytes } from './kernel-heap.ts';
import { sourceHash } from './module.generated.ts';

interface Build {
  hashSources(): string;
  compile(): Buffer;
}

const build = (await import(new URL('../../kernels/build.mjs', import.meta.url).href)) as Build;
// Its output is null where there is no such program.
const compiler: { stdout: string | null } = spawnSync('clang', ['--version'], { encoding: 'utf8' });
const version = /clang version (\d+)/.exec(compiler.stdout ?? '')?.[1];

describe('the checked-in wasm binary', () => {
  it('was made from the checked-in sources', () => {
    expect(sourceHash).toBe(build.hashSources());
    expect(WebAssembly.validate(moduleBytes())).toBe(true);
  });

  // Other compilers make other bytes of the same sources; the hash above holds everywhere.
  if (version === '14') {
    it('is what clang 14 makes of them, byte for byte', () => {
      const digest = (bytes: Uint8Array): string =>
        createHash('sha256').update(bytes).digest('hex');
      expect(digest(moduleBytes())).toBe(digest(build.compile()));
    });
  }
});
