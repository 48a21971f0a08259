import { arch, availableParallelism, cpus, totalmem } from 'node:os';

/** What the figures were measured on: kind of processor, cores, memory, versions; no names. */
export function machine() {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    architecture: arch(),
    cores: availableParallelism(),
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
}
