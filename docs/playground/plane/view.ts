import { presets } from './presets.ts';
import { offeredStrategies } from './strategies.ts';
import type { Vector } from './vectors.ts';

/** What the plane shows. */
export interface View {
  readonly gradients: readonly Vector[];
  /** Ids of the strategies shown. */
  readonly shown: readonly string[];
}

/** Coordinates reach from −limit to limit. */
export const limit = 10;

/** The view at the start. */
export const firstView: View = {
  gradients: presets[0]!.gradients,
  shown: ['sum', 'mmpareto', 'pcgrad', 'mgda'],
};

/** A coordinate as the plane keeps it: within its limits, in hundredths. */
export const coordinate = (value: number): number =>
  // Adding zero turns −0 into 0.
  Math.round(Math.max(-limit, Math.min(limit, value)) * 100) / 100 + 0;

/** The part of an address behind `#` that shows this view again. */
export function viewHash({ gradients, shown }: View): string {
  return `g=${gradients.map((gradient) => gradient.join(',')).join(';')}&show=${shown.join(',')}`;
}

/** The view of an address, or null where it names none. */
export function viewOfHash(hash: string): View | null {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const rows = fields.get('g')?.split(';') ?? [];
  if (rows.length < 2 || rows.length > 3) return null;
  const gradients: Vector[] = [];
  for (const row of rows) {
    const parts = row.split(',');
    const [x, y] = parts.map(Number);
    if (parts.length !== 2 || parts.includes('') || !Number.isFinite(x) || !Number.isFinite(y))
      return null;
    gradients.push([coordinate(x!), coordinate(y!)]);
  }
  const shown = (fields.get('show') ?? '').split(',').filter((id) => id !== '');
  if (shown.some((id) => !offeredStrategies.some((strategy) => strategy.id === id))) return null;
  return { gradients, shown };
}
