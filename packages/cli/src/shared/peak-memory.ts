import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';

/** Begins to measure the peak of this process's memory anew, where the system can: Linux. */
export function resetPeakMemory(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Elsewhere the peak is that of the process since its start, which `peakMemory` says too.
  }
}

/** The most memory that this process has had at once since the last reset, or since its start, in MiB. */
export function peakMemory(): number {
  try {
    const [, kibibytes] =
      /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kibibytes !== undefined) return Math.round(Number(kibibytes) / 1024);
  } catch {
    // No such file: not Linux.
  }
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
