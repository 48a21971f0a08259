import { MultigradError } from '@multigrad/core/strategy';

/**
 * Checks that positions of samples exist: integers from 0 to `count − 1`.
 *
 * @throws MultigradError `invalid-argument` naming the first that is not
 */
export function assertPositions(positions: Iterable<number>, count: number): void {
  for (const position of positions) {
    if (Number.isInteger(position) && position >= 0 && position < count) continue;
    throw new MultigradError(
      'invalid-argument',
      `A sample's position should be an integer from 0 to ${count - 1}. Found ${position}.`,
    );
  }
}
