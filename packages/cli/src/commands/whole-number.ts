import { type OptionSpec, own } from '@multigrad/core/strategy';
import { optionsFromText } from '@multigrad/core/support';

/**
 * The whole number that an option's text stands for.
 *
 * @param owner - the experiment or the command that the option belongs to, for messages
 * @throws MultigradError `invalid-option` for a text that is no whole number in the range
 */
export function wholeNumber(
  owner: string,
  name: string,
  text: string,
  minimum: number,
  maximum?: number,
): number {
  const spec: OptionSpec = {
    kind: 'number',
    integer: true,
    minimum,
    ...(maximum === undefined ? {} : { maximum }),
    default: minimum,
    description: name,
  };
  const read = optionsFromText(owner, { [name]: spec }, { [name]: text });
  return own(read as Record<string, number>, name)!;
}
