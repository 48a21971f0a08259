import type { Payload } from './communicator.ts';

/** One collective call of a rank. */
export interface Call {
  /** Its number, the same on every rank. */
  readonly number: number;
  /** What it does with how many numbers: must be the same on every rank. */
  readonly form: string;
  /** What it is for, in the words of the caller. */
  readonly what: string;
}

/** The name of an array's kind. */
export function kindOf(values: Payload): string {
  return values instanceof Float32Array
    ? 'Float32Array'
    : values instanceof Float64Array
      ? 'Float64Array'
      : 'Uint8Array';
}

/** An array's kind and length. */
export function payloadText(values: Payload): string {
  return `${kindOf(values)}[${values.length}]`;
}

/** A call in a message. */
export function callText({ number, form, what }: Call): string {
  return what === '' ? `call ${number}, ${form}` : `\`${what}\` (call ${number}, ${form})`;
}

/** Ranks in a message: `rank 3`, `ranks 1, 2 and 5`. */
export function ranksText(ranks: readonly number[]): string {
  if (ranks.length === 1) return `rank ${ranks[0]}`;
  return `ranks ${ranks.slice(0, -1).join(', ')} and ${ranks.at(-1)}`;
}

/** The message where two ranks make different calls; the lower rank comes first. */
export function unlikeText(a: number, first: string, b: number, second: string): string {
  const [low, lowForm, high, highForm] = a < b ? [a, first, b, second] : [b, second, a, first];
  return `All ranks should make the same calls in the same order. Found ${lowForm} on rank ${low}, ${highForm} on rank ${high}.`;
}

/** The message where nothing has come from some ranks for so many seconds. @param meanwhile - what this rank does, after a comma */
export function silentText(ranks: readonly number[], silence: number, meanwhile: string): string {
  return `${capital(ranksText(ranks))} gave no sign of life for ${silence} s${meanwhile}: stopped, or the host or the network is down.`;
}

/** The beginning of a message where ranks are late for a call. */
export function lateText(ranks: readonly number[], call: Call): string {
  return `${capital(ranksText(ranks))} ${ranks.length === 1 ? 'has' : 'have'} not reached ${callText(call)}`;
}

/** A note that goes on from {@link lateText}: the ranks are alive. */
export function waitingText(late: string, count: number, silence: number): string {
  return `${late} for ${silence} s, but ${count === 1 ? 'is' : 'are'} alive; going on to wait.`;
}

function capital(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}`;
}

/**
 * The time for which this process has been running, in seconds, by ticks of about one second. Where the process was stopped
 * itself, the others' signs of life wait to be read: their silence does not count.
 */
export class WakeClock {
  #seconds = 0;
  #ticked = performance.now();

  get seconds(): number {
    return this.#seconds;
  }

  tick(): void {
    const now = performance.now();
    this.#seconds += Math.min((now - this.#ticked) / 1000, 2);
    this.#ticked = now;
  }
}
