export { type DecodeOptions, decodeSafetensors } from './decode.ts';
export type { RawTensor, SafetensorsDtype, SafetensorsFile } from './dtypes.ts';
export { encodeSafetensors } from './encode.ts';
export {
  float32Tensor,
  type NumberArray,
  type NumberDtype,
  rawTensor,
  toFloat32,
  toNumbers,
} from './numbers.ts';
