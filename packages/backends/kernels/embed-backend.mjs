// Embeds TensorFlow.js's wasm binary: `node packages/backends/kernels/embed-backend.mjs`, after a new version of
// @tensorflow/tfjs-backend-wasm. The result is checked in as a TypeScript module, so that bundlers need no loader.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const require = createRequire(import.meta.url);
const { version } = require('@tensorflow/tfjs-backend-wasm/package.json');
const folder = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));
const binary = readFileSync(join(folder, 'tfjs-backend-wasm-simd.wasm'));
const base64 = gzipSync(binary, { level: 9 })
  .toString('base64')
  .match(/.{1,120}/g)
  .join('\n');
writeFileSync(
  join(import.meta.dirname, '../src/wasm/backend-binary.generated.ts'),
  `// Made by kernels/embed-backend.mjs of tfjs-backend-wasm-simd.wasm of @tensorflow/tfjs-backend-wasm ${version}, which is
// Copyright Google LLC, under the Apache License 2.0; not to be edited.

/** TensorFlow.js's SIMD binary for one thread, by gzip, in base64. */
export const gzippedBase64: string = \`
${base64}
\`;
`,
);
