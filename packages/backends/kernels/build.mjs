// Compiles the wasm kernels: `node packages/backends/kernels/build.mjs`. Needs clang 14 or newer with wasm-ld (lld).
// The result is checked in as a TypeScript module, so that nobody else needs a compiler and bundlers need no loader.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const target = join(folder, '../src/wasm/module.generated.ts');

const flags = [
  '--target=wasm32',
  '-std=c11',
  '-O3',
  '-msimd128',
  '-mbulk-memory',
  '-mmutable-globals',
  '-nostdlib',
  '-ffreestanding',
  '-fno-builtin',
  '-fvisibility=hidden',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wl,--no-entry',
  '-Wl,--import-memory',
  '-Wl,--export-dynamic',
  '-Wl,--export=__stack_pointer',
  '-Wl,--stack-first',
  '-Wl,-z,stack-size=8192',
  '-Wl,--strip-all',
];

/** Hash of the compiler flags and of every source, by name. */
export function hashSources() {
  const hash = createHash('sha256').update(flags.join(' '));
  for (const file of sources()) hash.update(`\n${file}\n`).update(readFileSync(join(folder, file)));
  return hash.digest('hex');
}

/** Compiles the sources to a wasm binary. */
export function compile() {
  const output = mkdtempSync(join(tmpdir(), 'multigrad-kernels-'));
  try {
    const file = join(output, 'kernels.wasm');
    const units = sources().filter((name) => name.endsWith('.c'));
    execFileSync('clang', [...flags, '-o', file, ...units], { cwd: folder, stdio: 'pipe' });
    return readFileSync(file);
  } finally {
    rmSync(output, { recursive: true });
  }
}

function sources() {
  return readdirSync(folder)
    .filter((file) => /\.[ch]$/.test(file))
    .sort();
}

function write() {
  const binary = compile();
  const lines = binary.toString('base64').match(/.{1,120}/g);
  writeFileSync(
    target,
    `// Made by kernels/build.mjs from the C sources beside it; not to be edited.

/** SHA-256 of the compiler flags and sources that the binary was made from. */
export const sourceHash: string = '${hashSources()}';

/** The wasm kernels, in base64. */
export const moduleBase64: string = \`
${lines.join('\n')}
\`;
`,
  );
  console.log(`${binary.length} bytes of wasm written to src/wasm/module.generated.ts`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) write();
