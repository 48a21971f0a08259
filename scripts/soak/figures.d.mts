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
    /** Numbers of tensors and buffers that were seen. */
    readonly tensors: readonly string[];
    /** Backward passes that followed a plan. */
    readonly replayed: number;
    readonly epochs: number;
    /** Of what is on the heap and behind it once garbage is collected. */
    readonly heap: Slope;
    /** Of all the process holds, with how far it comes and goes beside its slope, bytes. */
    readonly resident: Slope & { readonly spread: number };
    readonly first: number;
    readonly last: number;
  },
  judged: boolean,
): Figure[];
export function asMebibytes(bytes: number): string;
export function perThousand(slope: Slope): string;
export function writeFigures(figures: readonly Figure[]): void;
