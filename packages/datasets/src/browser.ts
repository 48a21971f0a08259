/** All of this package except for what reads files: the entry for runtimes without a file system. */
export { batches, batchesByEpoch, batchesPerEpoch, type EpochBatches } from './batches.ts';
export type { BatchesOptions, BatchingOptions, EpochOptions } from './batching-options.ts';
export type { BatchContext, BatchSource, MemorySource } from './batch-source.ts';
export {
  cgMnist,
  type CgMnist,
  type CgMnistOptions,
  type ColoredDigitBatch,
  type ColoredDigits,
} from './cg-mnist.ts';
export { digitColors, type Rgb } from './digit-colors.ts';
export { epochOrder } from './epoch-order.ts';
export { assertEveryClass, splitBy, subset } from './split.ts';
export { type IdxArray, parseIdx } from './idx.ts';
export { type Digits, type Mnist, type NamedBytes, parseDigits } from './mnist.ts';
