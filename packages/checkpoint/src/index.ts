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
