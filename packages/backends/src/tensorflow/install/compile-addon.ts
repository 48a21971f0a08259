import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from './files.ts';
import type { OnProgress } from './progress.ts';
import { type CommandContext, expectSuccess, runCommand } from './run-command.ts';
import type { Compiler } from './tools.ts';

/** Compiles the addon of a tree that holds sources, headers and libraries; the result finds the libraries beside it. */
export async function compileAddon(
  compiler: Compiler,
  tree: string,
  context: CommandContext,
  onProgress: OnProgress,
): Promise<void> {
  onProgress({ step: 'compile', subject: compiler.version, share: null });
  const package_ = join(tree, 'node_modules/@tensorflow/tfjs-node');
  const library = join(tree, 'tensorflow');
  const include = (path: string): string => `-I${path}`;
  await makeFolder(join(tree, 'addon'));
  const cuda = await readdir(join(tree, 'nvidia')).catch(() => []);
  const searched = [
    '$ORIGIN/../tensorflow',
    ...cuda.map((name) => `$ORIGIN/../nvidia/${name}/lib`),
  ];
  const result = await runCommand(
    [
      ...compiler.tool,
      ...['-O2', '-std=c++17', '-shared', '-fPIC'],
      ...['-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tfjs_binding'],
      include(join(library, 'include')),
      include(join(tree, 'node_modules/node-api-headers/include')),
      include(package_),
      join(package_, 'binding/tfjs_backend.cc'),
      join(package_, 'binding/tfjs_binding.cc'),
      ...['-o', join(tree, 'addon/tfjs_binding.node')],
      join(library, 'libtensorflow_cc.so.2'),
      join(library, 'libtensorflow_framework.so.2'),
      `-Wl,-rpath,${searched.join(':')}`,
    ],
    { ...context, folder: tree },
  );
  expectSuccess(`Compiling the addon with ${compiler.version}`, result!);
}
