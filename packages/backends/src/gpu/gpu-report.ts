/** The device that a backend computes on. */
export interface GpuReport {
  /** Name of the device, as far as the driver tells. */
  readonly device: string;
  /** Whether software on the processor emulates the graphics device, which is slower than wasm. */
  readonly software: boolean;
}
