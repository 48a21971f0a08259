import { scalar, tidy } from '@tensorflow/tfjs-core';

/** The id of the youngest tensor alive or dead: ids grow, so whatever has a greater one was made after this call. */
export function youngestTensorId(): number {
  return tidy(() => scalar(0).id);
}
