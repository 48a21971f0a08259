/** What a backend needs and does not find, and a hint what to do about it. */
export interface Missing {
  readonly missing: string;
  readonly hint: string;
}

/** The text of what is missing, as part of a sentence. */
export function missingText({ missing, hint }: Missing): string {
  return `${missing} (${hint})`;
}
