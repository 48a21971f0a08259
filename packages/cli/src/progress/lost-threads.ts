/** Notes the threads of the wasm backend that are lost while a command runs, and tells the user of each once. */
export class LostThreads {
  /** Why, a line for each, in the order in which they were lost. */
  readonly reasons: string[] = [];
  /** To be handed to `useBackend`. */
  readonly onThreadLost: (reason: string) => void;

  /** @param tell - writes a line for the user */
  constructor(tell: (text: string) => void) {
    this.onThreadLost = (reason) => {
      this.reasons.push(reason);
      tell(
        `A thread of the wasm backend was lost: ${reason}. Results stay the same, steps take longer.`,
      );
    };
  }
}
