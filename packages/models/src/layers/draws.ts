import { type BatchShare, currentShare } from '@multigrad/core';
import { uniformKey, type UniformKey } from '@multigrad/core/kernels';
import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';

/** What a layer that draws numbers in training is told beside its inputs. */
export interface DrawingArguments {
  readonly training?: unknown;
  readonly step?: unknown;
  readonly share?: BatchShare;
}

/** Uniform numbers of a layer at a training step. */
export interface Draws {
  readonly key: UniformKey;
  /** Place of this rank's first sample in the whole batch. */
  readonly firstSample: number;
}

/**
 * What a layer draws by in training: seed, step and name, and the place of its samples in the whole batch. So every rank, and
 * a run that was resumed, draws what an uninterrupted run of one process draws.
 *
 * @throws MultigradError `invalid-argument` for a step that is no integer >= 0
 */
export function drawsOf(
  layer: string,
  quantity: string,
  seed: number,
  { step, share }: DrawingArguments,
): Draws {
  if (!Number.isSafeInteger(step) || (step as number) < 0) {
    throw new MultigradError(
      'invalid-argument',
      `Layer \`${layer}\` draws ${quantity} by the number of the training step: pass \`step\`, an integer >= 0, ` +
        `beside \`training\`. Found ${describeValue(step)}.`,
    );
  }
  return {
    key: uniformKey(seed, step as number, layer),
    // A rank's samples lie behind those of the ranks before it.
    firstSample: (share ?? currentShare())?.firstSample ?? 0,
  };
}
