import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';

const validName = /^[A-Za-z0-9][-A-Za-z0-9._/]*$/;

/**
 * Checks that TensorFlow.js can build names of layers and variables from `name`.
 *
 * @param what - what the name belongs to, for messages
 * @throws MultigradError `invalid-option`
 */
export function assertLayerName(what: string, name: unknown): asserts name is string {
  if (typeof name === 'string' && validName.test(name)) return;
  throw new MultigradError(
    'invalid-option',
    `${what} should start with a letter or digit and go on with letters, digits, '-', '.', '_' or '/'. ` +
      `Found ${describeValue(name)}.`,
  );
}
