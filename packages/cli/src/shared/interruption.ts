/**
 * Milliseconds within which a Ctrl-C is the same one as the first signal, passed on. Ctrl-C reaches every process of a
 * terminal's group, and npm then sends SIGINT once more to the program that it runs.
 */
export const passedOnWithin = 1000;

/** What interrupts a command: the first reason ends it in order, a further Ctrl-C, from somebody impatient, at once. */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #now: () => number;
  readonly #leave: () => void;
  #began = 0;

  /**
   * @param now - milliseconds of a clock that only goes forward
   * @param leave - ends the process at once
   */
  constructor(now: () => number, leave: () => void) {
    this.#now = now;
    this.#leave = leave;
  }

  /** Aborted once the command should end; the reason is a text. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Takes SIGINT, the signal that a person sends. */
  ctrlC(): void {
    if (this.signal.aborted && this.#now() - this.#began >= passedOnWithin) this.#leave();
    this.end('Ctrl-C');
  }

  /**
   * Ends the command in order, for another reason. Called again, it changes nothing: a further SIGTERM comes from a launcher or a
   * supervisor, which ends by SIGKILL what takes too long, so that leaving sooner would gain nothing.
   */
  end(why: string): void {
    if (this.signal.aborted) return;
    this.#began = this.#now();
    this.#controller.abort(why);
  }
}
