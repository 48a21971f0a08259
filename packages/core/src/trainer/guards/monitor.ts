import { MultigradError } from '../../base/errors.ts';
import type { Json } from '../../base/json.ts';
import { numberFromJson, numberToJson } from '../../base/non-finite-json.ts';
import type { OptionNames } from '../../base/known-options.ts';
import { own } from '../../base/own.ts';
import type { Logs } from '../callbacks.ts';

/** Which number of the logs is watched, and when one value is better than another. */
export interface MonitorOptions {
  /** Name of the logs to watch. @defaultValue `'val_loss'` */
  readonly monitor?: string;
  /** Whether small or large values are good. @defaultValue `'min'` */
  readonly mode?: 'min' | 'max';
  /** By how much a value must be better to count, a number >= 0. @defaultValue 0 */
  readonly minDelta?: number;
}

export const monitorOptionNames: OptionNames<MonitorOptions> = {
  monitor: true,
  mode: true,
  minDelta: true,
};

/** The best value that a number of the logs has had during a `fit`, and how many epochs ago. */
export class Monitor {
  readonly name: string;
  readonly #sign: number;
  readonly #minDelta: number;
  /** The best value, times -1 where large ones are good. */
  #best = Infinity;
  #waited = 0;
  /** Whether values were restored since the last `fit` began. */
  #restored = false;

  /** @throws MultigradError `invalid-option` */
  constructor({ monitor = 'val_loss', mode = 'min', minDelta = 0 }: MonitorOptions) {
    if (!['min', 'max'].includes(mode)) fail('mode', "'min' or 'max'", mode);
    if (!(minDelta >= 0)) fail('minDelta', 'a number >= 0', minDelta);
    this.name = monitor;
    this.#sign = mode === 'min' ? 1 : -1;
    this.#minDelta = minDelta;
  }

  /** The best value so far; null before the first. */
  get best(): number | null {
    return this.#best === Infinity ? null : this.#sign * this.#best;
  }

  /** Epochs since the best one, or since `rest`. */
  get waited(): number {
    return this.#waited;
  }

  /**
   * Records the value of an epoch.
   *
   * @returns whether it is the best so far
   * @throws MultigradError `invalid-option` where the logs have no such number, naming those that they have
   */
  see(logs: Logs): boolean {
    const found = own(logs, this.name);
    if (found === undefined) fail('monitor', `one of ${Object.keys(logs).join(', ')}`, this.name);
    const value = this.#sign * found;
    if (!(value < this.#best - this.#minDelta)) {
      this.#waited += 1;
      return false;
    }
    this.#best = value;
    this.#waited = 0;
    return true;
  }

  /** Restarts the count of epochs without a better value. */
  rest(): void {
    this.#waited = 0;
  }

  /**
   * Begins a `fit`: forgets all values, unless they were restored for it, which comes before.
   *
   * @returns whether they were restored
   */
  begin(): boolean {
    const resumes = this.#restored;
    this.#restored = false;
    if (!resumes) {
      this.#best = Infinity;
      this.#waited = 0;
    }
    return resumes;
  }

  /** The best value and the number of epochs since, as JSON. */
  snapshot(): { readonly best: Json; readonly waited: number } {
    return { best: numberToJson(this.#best), waited: this.#waited };
  }

  /** Continues from a snapshot. */
  restore({ best, waited }: { readonly best: Json; readonly waited: number }): void {
    this.#best = numberFromJson(best);
    this.#waited = waited;
    this.#restored = true;
  }
}

/** @throws MultigradError `invalid-option` */
export function fail(option: string, expected: string, found: unknown): never {
  throw new MultigradError(
    'invalid-option',
    `Option \`${option}\` should be ${expected}. Found \`${String(found)}\`.`,
  );
}
