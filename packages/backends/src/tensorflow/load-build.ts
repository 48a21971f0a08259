import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { mendNode } from './mend-node.ts';
import type { NativeBuild } from './native-build.ts';
import type { Binding, NodeBackend } from './node-backend.ts';

/** The global symbol under which a build's `@tensorflow/tfjs` finds the program's own TensorFlow.js. */
export const sharedName = 'multigrad.tfjs-core';

/** The package name that the backend of a build is given. */
const packageOf: Record<NativeBuild['device'], string> = {
  cpu: '@tensorflow/tfjs-node',
  gpu: '@tensorflow/tfjs-node-gpu',
};

/** Loads addon, library and kernels of a build, and makes its backend on the program's own TensorFlow.js. */
export function loadBuild({ folder, device }: NativeBuild): NodeBackend {
  mendNode();
  (globalThis as Record<symbol, unknown>)[Symbol.for(sharedName)] = tf;
  const require = createRequire(join(folder, 'build.json'));
  const { silently } = require('./addon/quiet.node') as {
    silently: (load: () => unknown) => unknown;
  };
  const binding = silently(() => require('./addon/tfjs_binding.node')) as Binding;
  const { NodeJSKernelBackend } =
    require('@tensorflow/tfjs-node/dist/nodejs_kernel_backend.js') as {
      NodeJSKernelBackend: new (binding: Binding, packageName: string) => NodeBackend;
    };
  require('@tensorflow/tfjs-node/dist/register_all_kernels.js');
  return new NodeJSKernelBackend(binding, packageOf[device]);
}
