export { csvLine, csvLogger } from './files/csv.ts';
export {
  type EpochLine,
  jsonLines,
  type JsonLinesOptions,
  type StepLine,
} from './files/json-lines.ts';
export { mlflow, type MlflowOptions } from './mlflow/mlflow.ts';
export type { ServerOptions } from './mlflow/client.ts';
export { progressBar, type ProgressBarOptions } from './progress/progress-bar.ts';
export { tensorBoard, type TensorBoardOptions } from './tensorboard/tensorboard.ts';
