import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { chain, type SeededLayers } from '../weights/seeded-layers.ts';

/**
 * The basic block of ResNet: `y = ReLU(F(x) + S(x))`, F = conv 3×3 → BN → ReLU → conv 3×3 → BN, and S the identity, or
 * a strided 1×1 convolution with BN where the size or the number of channels changes.
 */
export function residualBlock(
  make: SeededLayers,
  block: string,
  x: SymbolicTensor,
  filters: number,
  strides: number,
): SymbolicTensor {
  const channels = x.shape.at(-1)!;
  const residual = chain(x, [
    make.convolution(`${block}/conv1`, channels, {
      filters,
      kernelSize: 3,
      strides,
      useBias: false,
    }),
    make.norm(`${block}/norm1`),
    make.relu(`${block}/relu1`),
    make.convolution(`${block}/conv2`, filters, { filters, kernelSize: 3, useBias: false }),
  ]);
  const identity = strides === 1 && channels === filters;
  const sum = identity
    ? layers
        .add({ name: make.name(`${block}/add`) })
        .apply([chain(residual, [make.norm(`${block}/norm2`)]), x])
    : // One layer, whose two batch norms share an exchange over the ranks.
      make.normalizedSum(block, ['norm2', 'shortcut-norm']).apply([
        residual,
        chain(x, [
          make.convolution(`${block}/shortcut`, channels, {
            filters,
            kernelSize: 1,
            strides,
            useBias: false,
          }),
        ]),
      ]);
  return make.relu(`${block}/relu2`).apply(sum) as SymbolicTensor;
}
