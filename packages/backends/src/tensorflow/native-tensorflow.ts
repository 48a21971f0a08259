import type { OpenNative } from '../choose-backend.ts';
import { installNativeKernels } from './kernels/install.ts';
import { nativeFolder } from './native-build.ts';
import { nodeBackend, openTensorFlow, surroundingsOf } from './open-tensorflow.ts';

/** Opens native TensorFlow and prepares it for training. */
export const openNativeTensorFlow: OpenNative = async () => {
  const found = await openTensorFlow(surroundingsOf(nativeFolder()));
  if ('failures' in found) {
    const hint = '`npm install -D @multigrad/cli`, then `npx multigrad native install` makes one';
    if (!found.installed) return { missing: 'native TensorFlow is not installed', hint };
    return { missing: `native TensorFlow did not start: ${found.failures.join('; ')}`, hint };
  }
  const backend = nodeBackend();
  installNativeKernels(backend);
  const { binding } = backend;
  const where = binding.isUsingGpuDevice() ? 'on a GPU' : 'on the processor';
  const passedOver = found.passedOver.map((reason) => `; passed over ${reason}`).join('');
  return {
    ownKernels: true,
    description: `TensorFlow ${binding.TF_Version} ${where}, from ${found.source}${passedOver}`,
  };
};
