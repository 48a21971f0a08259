export { csvLine, csvLogger } from './files/csv.ts';
export {
  type EpochLine,
  jsonLines,
  type JsonLinesOptions,
  type StepLine,
} from './files/json-lines.ts';
export { progressBar, type ProgressBarOptions } from './progress/progress-bar.ts';
export { tensorBoard, type TensorBoardOptions } from './tensorboard/tensorboard.ts';
