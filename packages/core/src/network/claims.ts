import type { Variable } from '@tensorflow/tfjs-core';
import { MultigradError } from '../base/errors.ts';

/** The claim that may use a variable now: the innermost one, where a call lends its variables to others. */
const holders = new WeakMap<Variable, Claim>();

/**
 * A call's claim on variables, so that only one call at a time uses a variable. A call that reads or writes variables
 * over an `await` claims them before, and releases them at its end.
 *
 * A step awaits its read-back. Another call on the same variables meanwhile would see weights that are about to change,
 * or values that replace them for a while, and one of two updates would be lost.
 */
export class Claim {
  /** Name of the call as users know it, such as `fit`. */
  readonly #call: string;
  readonly #before = new Map<Variable, Claim | undefined>();
  readonly #guests = new Set<Promise<void>>();
  readonly #ended: Promise<void>;
  #end: () => void = () => undefined;
  #lent = false;

  private constructor(call: string) {
    this.#call = call;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /**
   * Claims variables for a call.
   *
   * @throws MultigradError `interleaved-call` where another call holds one of them
   */
  static take(call: string, variables: Iterable<Variable>): Claim {
    const claimed = [...variables];
    for (const variable of claimed) {
      const holder = holders.get(variable);
      if (holder === undefined || holder.#lent) continue;
      throw new MultigradError(
        'interleaved-call',
        `\`${call}\` began on variable \`${variable.name}\` while \`${holder.#call}\` had not ended. ` +
          'Await each call before the next; while `fit` goes on, call from its callbacks.',
      );
    }
    const claim = new Claim(call);
    for (const variable of claimed) {
      const holder = holders.get(variable);
      claim.#before.set(variable, holder);
      if (holder !== undefined) holder.#guests.add(claim.#ended);
      holders.set(variable, claim);
    }
    return claim;
  }

  /** Claims variables for as long as `work` takes. @throws MultigradError `interleaved-call`, and what `work` throws */
  static async during<T>(
    call: string,
    variables: Iterable<Variable>,
    work: (claim: Claim) => Promise<T>,
  ): Promise<T> {
    const claim = Claim.take(call, variables);
    try {
      return await work(claim);
    } finally {
      claim.release();
    }
  }

  /** Claims variables for synchronous work. @throws MultigradError `interleaved-call`, and what `work` throws */
  static now<T>(call: string, variables: Iterable<Variable>, work: () => T): T {
    const claim = Claim.take(call, variables);
    try {
      return work();
    } finally {
      claim.release();
    }
  }

  /**
   * Lends the variables to other calls, one at a time, while `body` runs. Then it waits for the end of those that
   * began. There is no time-out: they are the caller's own calls, such as an evaluation that a callback did not await.
   */
  async lend<T>(body: () => T | Promise<T>): Promise<T> {
    this.#lent = true;
    try {
      return await body();
    } finally {
      while (this.#guests.size > 0) {
        const guests = [...this.#guests];
        await Promise.all(guests);
        for (const guest of guests) this.#guests.delete(guest);
      }
      this.#lent = false;
    }
  }

  /** Ends the call; further calls do nothing. */
  release(): void {
    for (const [variable, before] of this.#before) {
      if (before === undefined) holders.delete(variable);
      else holders.set(variable, before);
    }
    this.#before.clear();
    this.#end();
  }
}
