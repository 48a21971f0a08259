import type { Findings } from './examine.ts';

/** What to type to get a faster backend; one line each. */
export function advise({ native, choice, versions }: Findings): string[] {
  const [platform] = (versions['platform'] ?? '').split(' ');
  const onGpu = choice.name === 'tensorflow' && choice.reason.includes('on a GPU');
  if (onGpu) return ['Nothing is faster than this here.'];
  if (native.driver) {
    return [
      'There is a driver for CUDA devices, but none answers. To use it:',
      '  npx multigrad native install --gpu     (fetches several GB)',
    ];
  }
  if (choice.name === 'tensorflow')
    return ['Nothing is faster than this here: there is no driver for CUDA devices.'];
  if (platform !== 'linux') {
    return ['Native TensorFlow is several times faster:', '  npm install @tensorflow/tfjs-node'];
  }
  return [
    'Native TensorFlow is several times faster:',
    '  npx multigrad native install           (fetches 0.3 GB, needs a C++ compiler)',
  ];
}
