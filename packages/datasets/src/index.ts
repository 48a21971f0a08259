export * from './browser.ts';
export type { Clip } from './clip-list.ts';
export type { ClipBatch, ClipSource } from './clip-source.ts';
export {
  type ClipSets,
  readCremaD,
  type ReadClipsOptions,
  readKineticsSounds,
} from './read-clips.ts';
export { readFashionMnist } from './read-fashion-mnist.ts';
export { readMnist, type ReadMnistOptions } from './read-mnist.ts';
export {
  readModelNet40,
  type ReadModelNet40Options,
  type ShapeBatch,
  type ShapeSets,
} from './read-model-net40.ts';
export { readSpokenDigits, type ReadSpokenDigitsOptions } from './spoken-digits.ts';
