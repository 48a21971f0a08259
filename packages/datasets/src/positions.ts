import { MultigradError } from '@multigrad/core/strategy';

/**
 * Checks that samples of these positions are there: integers from 0 to `count − 1`.
 *
 * @throws MultigradError `invalid-argument` naming the first that is not
 */
export function assertPositions(positions: ArrayLike<number>, count: number): void {
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i]!;
    if (Number.isInteger(position) && position >= 0 && position < count) continue;
    throw new MultigradError(
      'invalid-argument',
      `A sample's position should be an integer from 0 to ${count - 1}. Found ${position}.`,
    );
  }
}
