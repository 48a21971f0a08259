import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as tf from '@tensorflow/tfjs-core';
import { build } from 'vite';

/** What the attention layers of TensorFlow.js are called with. */
interface Attention {
  call(query: tf.Tensor, arguments_: object): tf.Tensor;
}

/** Layers that `@tensorflow/tfjs-layers` holds and does not export; programs bundle them from its sources. */
export interface AttentionLayers {
  readonly MultiHeadAttention: new (options: object) => Attention;
  readonly EinsumDense: new (options: object) => Attention & { apply(x: tf.Tensor): tf.Tensor };
  readonly TransformerDecoder: new (options: object) => { apply(x: tf.Tensor): tf.Tensor };
}

const root = join(import.meta.dirname, '../..');
const folder = join(root, 'node_modules/.cache/multigrad-tests/attention-layers');
/** The layers, bundled for Node on the one engine of `@tensorflow/tfjs-core`. */
export async function loadAttentionLayers(): Promise<AttentionLayers> {
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [
      {
        name: 'one-engine',
        enforce: 'pre',
        resolveId: (source) =>
          source.startsWith('@tensorflow/tfjs-core')
            ? { id: '@tensorflow/tfjs-core', external: true }
            : null,
      },
    ],
    ssr: { noExternal: [/tfjs-layers/] },
    build: {
      ssr: join(import.meta.dirname, 'attention-entry.js'),
      outDir: folder,
      emptyOutDir: true,
      minify: false,
    },
  });
  const bundle = ['attention-entry.js', 'attention-entry.mjs']
    .map((name) => join(folder, name))
    .find((path) => existsSync(path));
  if (bundle === undefined) throw new Error(`Expected a bundle in ${folder}. Found none.`);
  return (await import(pathToFileURL(bundle).href)) as AttentionLayers;
}
