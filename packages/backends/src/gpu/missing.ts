/** What a backend lacks here, and what to do about it. */
export interface Missing {
  readonly missing: string;
  readonly hint: string;
}

/** What is missing, as part of a sentence. */
export function missingText({ missing, hint }: Missing): string {
  return `${missing} (${hint})`;
}
