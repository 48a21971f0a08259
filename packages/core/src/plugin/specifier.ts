import { describeValue } from '../base/describe-value.ts';
import { MultigradError } from '../base/errors.ts';

/** A strategy as a user writes it, taken apart: `mmpareto:gamma=2,rescale=tensor`. */
export interface StrategySpecifier {
  /** A strategy's name, an npm package or a path. */
  readonly name: string;
  /** The options' texts by name, not yet checked against the strategy. */
  readonly options: Readonly<Record<string, string>>;
}

// A letter, then letters, digits, _ or -; for weights a dot and any objective name.
const optionsStart = /:(?=[A-Za-z][\w-]*(?:\.[^=,]*)?=)/;
// `C:\x.js`, `C:x.js`, `file:///x.js`: a colon that belongs to a path or an address.
const colonOfPath = /^[A-Za-z]:|:.*[\\/]/s;

/**
 * Takes a strategy specifier apart: a name, then optionally `:` and options `key=value` separated by commas.
 *
 * The options start at the first `:` that is followed by `key=`, where a key is a letter followed by letters, digits,
 * `_` or `-`, and for weights a dot and an objective's name (`weights.image=0.5`). So the colons of `C:\x.js` and
 * `file:///x.js` belong to the name. A value ends at the next comma; it may hold `=` and `:`.
 *
 * @throws MultigradError `invalid-option` where the options are malformed or one is given twice; `invalid-argument`
 * where there is no name
 *
 * @example
 * ```ts
 * import { parseStrategySpecifier } from '@multigrad/core/strategy';
 *
 * const { name, options } = parseStrategySpecifier('mmpareto:gamma=2,rescale=tensor');
 * console.log(name, options); // mmpareto { gamma: '2', rescale: 'tensor' }
 * console.log(parseStrategySpecifier('C:\\own\\strategy.js').name); // C:\own\strategy.js
 * ```
 */
export function parseStrategySpecifier(text: string): StrategySpecifier {
  const start = text.search(optionsStart);
  const name = (start < 0 ? text : text.slice(0, start)).trim();
  if (name === '') {
    throw new MultigradError(
      'invalid-argument',
      `A strategy should be \`name\` or \`name:option=value,option=value\`. Found ${describeValue(text)}.`,
    );
  }
  if (start < 0 && name.includes(':') && !colonOfPath.test(name)) {
    throw new MultigradError(
      'invalid-option',
      `The options of a strategy should be \`option=value\`, separated by commas. ` +
        `Found ${describeValue(name.slice(name.indexOf(':') + 1))} in ${describeValue(text)}.`,
    );
  }
  return { name, options: start < 0 ? {} : parseOptions(text, text.slice(start + 1)) };
}

function parseOptions(text: string, list: string): Readonly<Record<string, string>> {
  const options = new Map<string, string>();
  for (const part of list.split(',')) {
    const equals = part.indexOf('=');
    const key = part.slice(0, Math.max(equals, 0)).trim();
    if (key === '') {
      throw new MultigradError(
        'invalid-option',
        `The options of a strategy should be \`option=value\`, separated by commas. ` +
          `Found ${describeValue(part)} in ${describeValue(text)}.`,
      );
    }
    if (options.has(key)) {
      throw new MultigradError(
        'invalid-option',
        `Option \`${key}\` is given twice in ${describeValue(text)}.`,
      );
    }
    options.set(key, part.slice(equals + 1).trim());
  }
  return Object.fromEntries(options);
}
