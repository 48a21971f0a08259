/**
 * A bar of block characters.
 *
 * @param share - how much of it is full, 0 to 1; more counts as 1
 * @param width - in characters
 *
 * @example
 * ```ts
 * import { drawBar } from '@multigrad/callbacks/terminal';
 *
 * console.log(drawBar(0.5, 8)); // ████░░░░
 * ```
 */
export function drawBar(share: number, width: number): string {
  const full = Math.round(Math.min(1, share) * width);
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/**
 * Text that fits into `width` characters; where something was left out, it ends in `…`.
 *
 * @example
 * ```ts
 * import { cutText } from '@multigrad/callbacks/terminal';
 *
 * console.log(cutText('multimodal', 6)); // multi…
 * ```
 */
export function cutText(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/**
 * Losses on one line; an absent one is left out.
 *
 * @example
 * ```ts
 * import { formatLosses } from '@multigrad/callbacks/terminal';
 *
 * console.log(formatLosses({ multimodal: 0.5123, gray: 0.4 })); // multimodal 0.512, gray 0.400
 * ```
 */
export function formatLosses(losses: Readonly<Partial<Record<string, number>>>): string {
  return Object.entries(losses)
    .flatMap(([name, loss]) => (loss === undefined ? [] : [`${name} ${loss.toFixed(3)}`]))
    .join(', ');
}
