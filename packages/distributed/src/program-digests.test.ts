import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { programDigests } from './program-digests.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-program-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  return file;
}

describe('digests of a program', () => {
  it('are those of all files that it imports by a path, in whatever way', () => {
    const main = write(
      'src/train.mjs',
      `import * as tf from '@tensorflow/tfjs-core';
import { loss } from './loss.mjs';
import './side-effect.mjs';
export * from "../shared/names.mjs";
const { late } = await import('./late.mjs');
const old = require('./old');
`,
    );
    write('src/loss.mjs', "import {\n  a,\n  b,\n} from './deep/numbers.mjs';\n");
    // A circle.
    write('src/deep/numbers.mjs', "import { loss } from '../loss.mjs';\n");
    for (const name of ['side-effect.mjs', 'late.mjs', 'old.cjs']) write(`src/${name}`, '');
    write('shared/names.mjs', '');
    write('src/not-imported.mjs', '');
    expect(Object.keys(programDigests(main)).sort()).toEqual([
      '../shared/names.mjs',
      'deep/numbers.mjs',
      'late.mjs',
      'loss.mjs',
      'main',
      'old.cjs',
      'side-effect.mjs',
    ]);
  });

  it('change with the text of the file, and only its digest does', () => {
    const main = write('train.mjs', "import './loss.mjs';\n");
    write('loss.mjs', '1\n');
    const before = programDigests(main);
    write('loss.mjs', '2\n');
    const after = programDigests(main);
    expect(after['main']).toBe(before['main']);
    expect(after['loss.mjs']).not.toBe(before['loss.mjs']);
  });

  it('are the same through a link, such as npm makes for a command', () => {
    const main = write('package/bin/train.mjs', "import '../loss.mjs';\n");
    write('package/loss.mjs', '');
    const link = join(folder, 'train');
    symlinkSync(main, link);
    expect(programDigests(link)).toEqual(programDigests(main));
  });

  it('are none where Node runs no file', () => {
    expect(programDigests(undefined)).toEqual({});
    expect(programDigests(join(folder, 'none.mjs'))).toEqual({});
  });
});
