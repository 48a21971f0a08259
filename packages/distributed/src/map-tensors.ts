import { Tensor } from '@tensorflow/tfjs-core';

/** The same container of records and arrays with each tensor replaced; numbers and the like as they are. */
export function mapTensors(value: unknown, replace: (tensor: Tensor) => Tensor): unknown {
  if (value instanceof Tensor) return replace(value as Tensor);
  if (Array.isArray(value)) return value.map((child) => mapTensors(child, replace));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [key, mapTensors(child, replace)]),
  );
}
