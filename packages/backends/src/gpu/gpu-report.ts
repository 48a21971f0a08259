/** The device that a backend computes on. */
export interface GpuReport {
  /** Its name, as far as the driver tells. */
  readonly device: string;
  /** Whether a processor plays the graphics device, slower than wasm does it. */
  readonly software: boolean;
}
