export type { CheckpointContent, CheckpointName } from './checkpoint-folder.ts';
export {
  Checkpoints,
  type CheckpointSchedule,
  type CheckpointsOptions,
  type ListedCheckpoint,
  type Restorable,
  type RestoredCheckpoint,
} from './checkpoints.ts';
export type { Fingerprint } from '@multigrad/core/files';
export type { Manifest, TensorFile } from './manifest.ts';
export {
  type DecodeOptions,
  decodeSafetensors,
  encodeSafetensors,
  float32Tensor,
  type NumberArray,
  type NumberDtype,
  type RawTensor,
  rawTensor,
  type SafetensorsDtype,
  type SafetensorsFile,
  toFloat32,
  toNumbers,
} from './safetensors/index.ts';
export { fromTensor, toTensor } from './tensor-file.ts';
