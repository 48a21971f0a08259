/**
 * A time for people: `8 s`, `2 min 05 s`, `1 h 04 min`.
 *
 * @param seconds - rounded to whole ones; below zero counts as zero
 *
 * @example
 * ```ts
 * import { formatDuration } from '@multigrad/callbacks/terminal';
 *
 * console.log(formatDuration(125)); // 2 min 05 s
 * ```
 */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}
