export interface Ratio {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

export interface RunRecord {
  readonly commit: string;
  readonly machine: string;
  readonly ratios: Readonly<Record<string, Ratio>>;
}

export interface ComparedRatio {
  readonly name: string;
  readonly now: Ratio;
  readonly best?: Ratio;
  readonly commit?: string;
  readonly worse: boolean;
}

export function compareRecords(records: readonly RunRecord[], worse: number): ComparedRatio[];
export function ratiosOf(measured: {
  readonly results: readonly { readonly workload: string; readonly rows: readonly object[] }[];
}): Record<string, Ratio>;
