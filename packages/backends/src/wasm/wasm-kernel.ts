import type { OwnKernel } from '../registry/own-kernel.ts';
import type { KernelHeap } from './kernel-heap.ts';

/** A kernel of ours for the wasm backend. */
export type WasmKernel = OwnKernel<KernelHeap>;
