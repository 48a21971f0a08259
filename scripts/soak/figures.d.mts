/** What was found beside what should be; without `holds` it is shown and not judged. */
export interface Figure {
  readonly what: string;
  readonly found: string;
  readonly expected: string;
  readonly holds?: boolean;
}

/** A slope with its standard error, bytes per step. */
export interface Slope {
  readonly rate: number;
  readonly error: number;
}

export function steadyFigures(
  result: {
    readonly backend: string;
    readonly steps: number;
    readonly tensors: readonly number[];
    readonly memory: Slope;
    readonly first: number;
    readonly last: number;
  },
  judged: boolean,
): Figure[];
export function perThousand(slope: Slope): string;
export function writeFigures(figures: readonly Figure[]): void;
