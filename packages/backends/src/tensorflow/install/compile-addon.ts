import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from './files.ts';
import type { OnProgress } from './progress.ts';
import { type CommandContext, expectSuccess, runCommand } from './run-command.ts';
import type { Compiler } from './tools.ts';

/**
 * Compiles the addons of a tree that holds sources, headers and libraries. The addons find the libraries by paths that are
 * relative to the addons.
 */
export async function compileAddon(
  compiler: Compiler,
  tree: string,
  context: CommandContext,
  onProgress: OnProgress,
): Promise<void> {
  onProgress({ step: 'compile', subject: compiler.version, share: null });
  const sources = join(tree, 'node_modules/@tensorflow/tfjs-node');
  const library = join(tree, 'tensorflow');
  const headers = join(tree, 'node_modules/node-api-headers/include');
  await makeFolder(join(tree, 'addon'));
  const compile = async (name: string, words: readonly string[]): Promise<void> => {
    const flags = ['-O3', '-std=c++17', '-shared', '-fPIC', '-pthread', '-w', '-DNAPI_VERSION=8'];
    const module = [`-DNODE_GYP_MODULE_NAME=${name}`, '-o', join(tree, `addon/${name}.node`)];
    const result = await runCommand(
      [...compiler.tool, ...flags, `-I${headers}`, ...module, ...words],
      { ...context, folder: tree },
    );
    expectSuccess(`Compiling the addon with ${compiler.version}`, result!);
  };
  const cuda = await readdir(join(tree, 'nvidia')).catch(() => []);
  const searched = [
    '$ORIGIN/../tensorflow',
    ...cuda.map((name) => `$ORIGIN/../nvidia/${name}/lib`),
  ];
  await compile('quiet', [ownSource('quiet.cc')]);
  await compile('tfjs_binding', [
    `-I${join(library, 'include')}`,
    `-I${sources}`,
    join(sources, 'binding/tfjs_backend.cc'),
    ownSource('multigrad.cc'),
    join(library, 'libtensorflow_cc.so.2'),
    join(library, 'libtensorflow_framework.so.2'),
    `-Wl,-rpath,${searched.join(':')}`,
  ]);
}

const ownSources = [
  'multigrad.cc',
  'kernel_call.h',
  'layer_norm.h',
  'pooling.h',
  'products.h',
  'reductions.h',
  'small_maps.h',
  'dense_product.h',
  'vector_math.h',
  'sequences.h',
  'quiet.cc',
] as const;

/** The hash of our own sources. A build whose record has another hash is out of date. */
export async function hashOwnSources(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of ownSources) hash.update(await readFile(ownSource(name)));
  return `sha256:${hash.digest('hex')}`;
}

/** The path of a source of ours. The relative path to `native` is the same from `src` and from `dist`. */
function ownSource(name: (typeof ownSources)[number]): string {
  return fileURLToPath(new URL(`../../../native/${name}`, import.meta.url));
}
