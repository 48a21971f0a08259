/** Throws a plain Error where something does not hold, so that any test runner can report it. */
export function check(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(message);
}
