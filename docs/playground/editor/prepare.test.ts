import { describe, expect, it } from 'vitest';
import { handingOn, lineOfError, prepare, ProgramError, withAddresses } from './prepare.ts';

const known = ['@multigrad/core', 'tf'];

function refused(source: string): { message: string; line: number | null } {
  try {
    prepare(source, known);
  } catch (error) {
    if (error instanceof ProgramError) return { message: error.message, line: error.line };
    throw error;
  }
  throw new Error('It was not refused.');
}

describe('a program', () => {
  it('loses its types, and no line', () => {
    const source = [
      "import * as tf from 'tf';",
      "import { type Only, used } from '@multigrad/core';",
      'interface Batch {',
      '  x: tf.Tensor;',
      '}',
      'const value: number = used(tf)!;',
      'throw new Error(`${value as number}`);',
    ].join('\n');
    const { code, imports } = prepare(source, known);
    expect(code.split('\n')).toHaveLength(7);
    expect(code.split('\n')[6]).toContain('throw new Error');
    expect(code).not.toMatch(/Batch|: number|Only/);
    expect(imports.map(({ module, line }) => [module, line])).toEqual([
      ['tf', 1],
      ['@multigrad/core', 2],
    ]);
  });

  it('has addresses in place of the names of modules', () => {
    const source =
      "import 'tf';\nconst core = await import('@multigrad/core');\nconsole.log(core);";
    const code = withAddresses(prepare(source, known), (module) => `blob:${module.length}`);
    expect(code).toContain("import 'blob:2';");
    expect(code).toContain('await import("blob:15")');
  });

  it.each([
    ['const a = 1;\nconst b = ;\n', 2],
    ['const a = 1;\n\nfunction ( {\n', 3],
    ["const a = 'open;\n", 1],
  ])('is refused with its line where it cannot be read: %j', (source, line) => {
    expect(refused(source)).toEqual({ message: expect.any(String) as string, line });
  });

  it('is refused where it imports what there is not, with what there is', () => {
    const { message, line } = refused("const a = 1;\nimport fs from 'node:fs';\nfs.a(a);");
    expect(line).toBe(2);
    expect(message).toContain('`node:fs`');
    expect(message).toContain('@multigrad/core');
    expect(refused('const name = "tf";\nawait import(name);').line).toBe(2);
  });
});

it('a module that hands on has the names of the other, whatever they are', async () => {
  const things = new Map([['some/module', { value: 1, delete: 2, default: 3 }]]);
  Object.assign(globalThis, { shelfOfTest: things });
  const code = handingOn('shelfOfTest', 'some/module', ['value', 'delete', 'default']);
  const module: unknown = await import(
    /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(code)}`
  );
  expect({ ...(module as object) }).toEqual({ value: 1, delete: 2, default: 3 });
});

it('finds the line of an error in the program, also where a package threw it', () => {
  const stack = [
    'Error: no',
    '    at take (https://site/assets/core.js:1:200)',
    '    at blob:https://site/1-2:14:9',
    '    at blob:https://site/1-2:3:1',
  ].join('\n');
  expect(lineOfError(stack, 'blob:https://site/1-2')).toBe(14);
  expect(lineOfError(stack, 'blob:https://site/other')).toBeNull();
});
