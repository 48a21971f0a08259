/** Tests by title; one fails by throwing. */
export type Tests = Readonly<Record<string, () => void>>;
