/**
 * Lets timers, input and drawing have their turn every so many milliseconds.
 *
 * On wasm and cpu a read-back resolves at once. A training loop that awaits nothing else would freeze a page, and no
 * signal would ever arrive.
 */
export class EventLoopBreaks {
  readonly #every: number;
  #last: number;

  constructor(every: number) {
    this.#every = every;
    this.#last = performance.now();
  }

  /** Waits for one turn of the event loop if it is due. */
  async take(): Promise<void> {
    if (performance.now() - this.#last < this.#every) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#last = performance.now();
  }
}
