import { checkLossScale, largestScale } from '../rows/loss-scale.ts';
import { MultigradError } from '../base/errors.ts';
import { checkKnownOptions } from '../base/known-options.ts';

/** Options of a dynamic loss scale, which adapts the factor during training. */
export interface DynamicLossScale {
  /** The first factor, a power of two, 1 … 2^32. @defaultValue 2^15 */
  readonly initial?: number;
  /** Steps with finite gradients after which the factor is doubled, an integer >= 1. @defaultValue 2000 */
  readonly growEvery?: number;
}

/** The state of a loss scale. */
export interface LossScaleState {
  readonly scale: number;
  /** Steps with finite gradients since the scale was last changed. */
  readonly goodSteps: number;
}

/**
 * The factor by which losses are multiplied before the backward passes. A dynamic one is halved where a gradient
 * overflows, and doubled after many steps in which none did. It is never below 1: a gradient that is not finite at a scale
 * of 1 is an error of the network, not of the scale.
 */
export class LossScale {
  readonly #options: number | DynamicLossScale;
  #state: LossScaleState;

  /** @throws MultigradError `invalid-option` */
  constructor(options: number | DynamicLossScale) {
    if (typeof options === 'number') {
      checkLossScale('lossScale', options);
    } else {
      checkKnownOptions('lossScale', options, { initial: true, growEvery: true });
      const { initial = 2 ** 15, growEvery = 2000 } = options;
      checkLossScale('lossScale.initial', initial);
      if (!Number.isInteger(growEvery) || growEvery < 1) {
        throw new MultigradError(
          'invalid-option',
          `Option \`lossScale.growEvery\` should be an integer >= 1. Found ${growEvery}.`,
        );
      }
    }
    this.#options = options;
    this.#state = this.#initial();
  }

  /** The factor by which losses are multiplied before the backward pass. */
  get scale(): number {
    return this.#state.scale;
  }

  /** Counts a step with finite gradients. */
  succeed(): void {
    if (typeof this.#options === 'number') return;
    const { scale, goodSteps } = this.#state;
    const { growEvery = 2000 } = this.#options;
    this.#state =
      goodSteps + 1 < growEvery
        ? { scale, goodSteps: goodSteps + 1 }
        : { scale: Math.min(2 * scale, largestScale), goodSteps: 0 };
  }

  /**
   * Lowers the scale after a step with a gradient that was not finite.
   *
   * @returns whether the scale was lowered, so that another step is worth a try
   */
  overflow(): boolean {
    const { scale } = this.#state;
    if (typeof this.#options === 'number' || scale === 1) return false;
    this.#state = { scale: scale / 2, goodSteps: 0 };
    return true;
  }

  /** The scale, and the finite steps since it last changed. */
  snapshot(): LossScaleState {
    return this.#state;
  }

  /** Takes over the state of a snapshot, or the first scale where training had none. A fixed scale does not change. */
  restore(state: LossScaleState | null): void {
    this.#state = typeof this.#options === 'number' || state === null ? this.#initial() : state;
  }

  #initial(): LossScaleState {
    const scale =
      typeof this.#options === 'number' ? this.#options : (this.#options.initial ?? 2 ** 15);
    return { scale, goodSteps: 0 };
  }
}
