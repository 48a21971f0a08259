export type { TorchLayout } from './layouts.ts';
export { modelFolder } from './model-folder.ts';
export { torchName } from './torch-names.ts';
export {
  exportWeights,
  type ExportWeightsOptions,
  importWeights,
  type ImportWeightsOptions,
  type WeightsConvention,
} from './weights.ts';
