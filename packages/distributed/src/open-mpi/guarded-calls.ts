import { MultigradError } from '@multigrad/core/strategy';
import { callText } from '../calls.ts';
import type { MpiFunction, MpiLibrary } from './library.ts';

/** What watches over this rank's calls. */
export interface Guard {
  /** Notes that a call begins. @returns what notes its end */
  begin(form: string, what: string): () => void;
  end(): Promise<void>;
}

/** The calls of one rank: one at a time, each told to the guard; an error names the rank, the call and how long it waited. */
export class GuardedCalls {
  readonly #rank: number;
  readonly #mpi: Pick<MpiLibrary, 'call' | 'callAside'>;
  readonly #guard: Guard;
  #last: Promise<unknown> = Promise.resolve();
  #underWay = 0;
  #number = 0;
  /** What the next calls are for. */
  purpose = '';

  constructor(rank: number, mpi: Pick<MpiLibrary, 'call' | 'callAside'>, guard: Guard) {
    this.#rank = rank;
    this.#mpi = mpi;
    this.#guard = guard;
  }

  /** Makes a call on another thread, after those before, also where the caller does not wait for them. */
  async aside(form: string, name: MpiFunction, ...given: unknown[]): Promise<void> {
    const what = this.purpose;
    this.#underWay += 1;
    const next = this.#last.then(async () => {
      const end = this.#begin(form, what);
      try {
        await this.#mpi.callAside(name, ...given);
      } catch (error) {
        throw end.named(error);
      } finally {
        this.#underWay -= 1;
        end.noted();
      }
    });
    this.#last = next.catch(() => undefined);
    return next;
  }

  /** Makes a call on this thread. @throws MultigradError `interleaved-call` while another one is under way */
  now(form: string, name: MpiFunction, ...given: unknown[]): void {
    if (this.#underWay > 0) {
      throw new MultigradError(
        'interleaved-call',
        `A call within a forward pass should find no other one under way. Found ${this.#underWay}.`,
      );
    }
    const end = this.#begin(form, this.purpose);
    try {
      this.#mpi.call(name, ...given);
    } catch (error) {
      throw end.named(error);
    } finally {
      end.noted();
    }
  }

  #begin(
    form: string,
    what: string,
  ): { readonly noted: () => void; readonly named: (error: unknown) => unknown } {
    this.#number += 1;
    const call = callText({ number: this.#number, form, what });
    const began = performance.now();
    const noted = this.#guard.begin(form, what);
    const named = (error: unknown): unknown => {
      if (!MultigradError.isInstance(error)) return error;
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      const text = `Rank ${this.#rank} failed at ${call} after ${seconds} s: ${error.message}`;
      return new MultigradError(error.code, text, { cause: error });
    };
    return { noted, named };
  }
}
