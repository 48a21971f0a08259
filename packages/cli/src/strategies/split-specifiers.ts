import { MultigradError } from '@multigrad/core/strategy';
import { describeValue } from '@multigrad/core/support';

// The `key=` that can only go on with the options of the specifier before it; a weights key has a dot and an objective.
const option = /^[A-Za-z][\w-]*(?:\.[^=,:/\\]*)?=/;

/**
 * Splits a list of strategy specifiers at its commas, where a comma before `key=` goes on with the options of the
 * specifier before it: `sum,mmpareto:gamma=2,rescale=tensor,mgda` is three strategies.
 *
 * @throws MultigradError `invalid-argument` for an empty entry, `invalid-option` for an option without its strategy
 */
export function splitSpecifiers(list: string): string[] {
  const specifiers: string[] = [];
  for (const part of list.split(',').map((text) => text.trim())) {
    if (part === '') {
      throw new MultigradError(
        'invalid-argument',
        `A list of strategies should be names separated by commas. Found an empty one in ${describeValue(list)}.`,
      );
    }
    if (!option.test(part)) {
      specifiers.push(part);
      continue;
    }
    const before = specifiers.at(-1);
    if (!before?.includes(':')) {
      throw new MultigradError(
        'invalid-option',
        `The option \`${part}\` should follow a strategy and a colon, as in ` +
          `\`${before ?? 'strategy'}:${part}\`. Found ${describeValue(list)}.`,
      );
    }
    specifiers[specifiers.length - 1] = `${before},${part}`;
  }
  return specifiers;
}

/**
 * All strategies of one or several lists.
 *
 * @throws MultigradError `invalid-argument` where one stands twice: its two runs would be the same
 */
export function collectSpecifiers(lists: readonly string[]): string[] {
  const specifiers = lists.flatMap(splitSpecifiers);
  const twice = specifiers.find((specifier, index) => specifiers.indexOf(specifier) !== index);
  if (twice === undefined) return specifiers;
  throw new MultigradError(
    'invalid-argument',
    `Each strategy should be named once. Found \`${twice}\` twice.`,
  );
}
