export * from './browser.ts';
export type { Clip } from './clip-list.ts';
export type { ClipBatch, ClipSource } from './clip-source.ts';
export {
  type ClipSets,
  readCremaD,
  type ReadClipsOptions,
  readKineticsSounds,
} from './read-clips.ts';
export type { PictureOptions } from './own-data/picture-column.ts';
export { type CsvFiles, readCsv, type SplitTable } from './own-data/read-csv.ts';
export {
  type ImageFolders,
  readImageFolders,
  type ReadImageFoldersOptions,
  readImages,
} from './own-data/read-image-folders.ts';
export { type MultiFeatureDigits, readMultiFeatureDigits } from './multi-feature-digits.ts';
export { type Nutrimouse, readNutrimouse } from './nutrimouse.ts';
export {
  type DenseBatch,
  type DenseSets,
  type Nyuv2Batch,
  readCityscapes,
  type ReadCityscapesOptions,
  readNyuv2,
  type ReadNyuv2Options,
} from './read-dense.ts';
export { readPenguins } from './penguins.ts';
export { readFashionMnist } from './read-fashion-mnist.ts';
export { readMnist, type ReadMnistOptions } from './read-mnist.ts';
export {
  readModelnet40,
  type ReadModelnet40Options,
  type ShapeBatch,
  type ShapeSets,
} from './read-modelnet40.ts';
export { readSpokenDigits, type ReadSpokenDigitsOptions } from './spoken-digits.ts';
export { readSolarFlares } from './solar-flares.ts';
export { readYeast } from './yeast.ts';
