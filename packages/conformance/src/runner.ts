/** The functions of a test runner that the kit uses: those of vitest, jest, node:test and others fit. */
export interface TestRunner {
  /** Registers a group of tests. */
  readonly describe: (name: string, body: () => void) => unknown;
  /** Registers a test, which fails by throwing. */
  readonly it: (name: string, body: () => void) => unknown;
  /** Not used; it is here so that a test runner can be passed whole. */
  readonly expect?: unknown;
}
