// Compiles the wasm kernels: `node packages/backends/kernels/build.mjs`. Needs clang 16 or newer with wasm-ld
// (lld); CLANG and WASM_LD name other programs than clang-16 and wasm-ld-16. Two binaries come of the same sources: one for
// every engine with SIMD, one with the fused multiply-add of relaxed SIMD. The result is checked in as a TypeScript module, so that nobody else needs a compiler and bundlers need no loader.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const target = join(folder, '../src/wasm/module.generated.ts');

/** The binaries, with what sets them apart. */
const variants = { plain: [], relaxed: ['-mrelaxed-simd'] };

const flags = [
  '--target=wasm32',
  '-std=c11',
  '-O3',
  '-msimd128',
  // No instruction on whole blocks of memory: see THREADS.md.
  '-mno-bulk-memory',
  '-matomics',
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
  '-Wl,--max-memory=4294967296',
  '-Wl,--strip-all',
];

/** Hash of the compiler flags and of every source, by name. */
export function hashSources() {
  const hash = createHash('sha256').update(JSON.stringify([flags, variants]));
  for (const file of sources()) hash.update(`\n${file}\n`).update(readFileSync(join(folder, file)));
  return hash.digest('hex');
}

/** Compiles the sources to the wasm binaries, by name. */
export function compile() {
  const output = mkdtempSync(join(tmpdir(), 'multigrad-kernels-'));
  const { CLANG: clang = 'clang-16', WASM_LD: linker = 'wasm-ld-16' } = process.env;
  const linkerPath = execFileSync('sh', ['-c', `command -v ${linker}`], {
    encoding: 'utf8',
  }).trim();
  try {
    const units = sources().filter((name) => name.endsWith('.c'));
    const entries = Object.entries(variants).map(([name, own]) => {
      const file = join(output, `${name}.wasm`);
      const given = [...flags, ...own, `-fuse-ld=${linkerPath}`, '-o', file, ...units];
      execFileSync(clang, given, { cwd: folder, stdio: 'pipe' });
      return [name, readFileSync(file)];
    });
    return Object.fromEntries(entries);
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
  const binaries = compile();
  const base64 = (name) =>
    binaries[name]
      .toString('base64')
      .match(/.{1,120}/g)
      .join('\n');
  writeFileSync(
    target,
    `// Made by kernels/build.mjs from the C sources beside it; not to be edited.

/** SHA-256 of the compiler flags and sources that the binaries were made from. */
export const sourceHash: string = '${hashSources()}';

/** The wasm kernels for engines with SIMD, in base64. */
export const plainBase64: string = \`
${base64('plain')}
\`;

/** The same for engines with relaxed SIMD, whose multiply-add rounds once. */
export const relaxedBase64: string = \`
${base64('relaxed')}
\`;
`,
  );
  for (const [name, { length }] of Object.entries(binaries))
    console.log(`${name}: ${length} bytes`);
  console.log('written to src/wasm/module.generated.ts');
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) write();
