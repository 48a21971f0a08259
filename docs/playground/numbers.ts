/** A number for reading, with a true minus sign. */
export const shown = (value: number, digits = 2): string =>
  // Adding zero turns −0 into 0.
  (Number(value.toFixed(digits)) + 0).toFixed(digits).replace('-', '−');

/** Names in a sentence: `A`, `A and B`, `A, B and C`. */
export const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)!}`;
