import { format } from 'node:util';

// What the comment behind a `console.log(…);` of an example claims is checked where the example runs. A claim is
//
// - what is printed: `// 0.6, 0.4`, `// [ 'sum', 'mmpareto' ]`. Numbers agree to the digits that the comment shows; `…` stands
//   for anything; brackets and commas don't count; an explanation may follow behind a colon or a semicolon, `// -0.84: a
//   conflict`, a formula may stand in front: `// (1 + 9)/2 = 5`
// - where a list of numbers ends: `// falls below 0.1`, `// rises above 0.9`. The list must also end below (above) its start.
//
// A comment of another kind fails, so that no claim goes unchecked: explanations stand on the line above.

/** A claim of an example: the text behind the call. */
export interface Claims {
  /** The program, whose checked calls go to `globalThis.claimed(index, …)`. */
  readonly code: string;
  readonly claims: readonly string[];
}

const call = /console\.log\(((?:[^\n]|(?<!;)\n)*?)\); \/\/ (.*)$/gm;

/** Words of outcomes, which are claims wherever they stand in a program's comments. */
const outcome = /\/\/.*\b(falls?|falling|rises?|rising|learns|converges?|reaches)\b.*$/gm;

/**
 * Finds the claims of a program.
 *
 * @throws Error where a comment speaks of an outcome and stands behind no call of `console.log`
 */
export function findClaims(program: string): Claims {
  const claims: string[] = [];
  const code = program.replaceAll(call, (_, given: string, claim: string) => {
    claims.push(claim.trim());
    return `globalThis.claimed(${claims.length - 1}, ${given});`;
  });
  const [loose] = code.match(outcome) ?? [];
  if (loose !== undefined)
    throw new Error(
      `Nothing checks this claim: \`${loose}\`. Put it behind a \`console.log\` of the numbers: \`// falls below 0.1\`.`,
    );
  return { code, claims };
}

/**
 * Compares what a program printed with its claim.
 *
 * @param values - what `console.log` got, of all its calls in order
 * @returns what is wrong, or null
 */
export function whatIsWrong(claim: string, values: readonly unknown[]): string | null {
  if (values.length === 0) return `nothing was printed, and \`${claim}\` claims something`;
  const bound = /^(falls below|rises above) ([\d.]+)$/.exec(claim);
  if (bound !== null) return endsBeyond(values, bound[1] === 'falls below', Number(bound[2]));
  const printed = tokensOf(
    values.map((value) => (typeof value === 'string' ? value : format('%O', value))).join(' '),
  );
  // All of it, what stands in front of an explanation, or what a formula comes to.
  const parts = [
    claim,
    ...Array.from(claim.matchAll(/[:;] /g), ({ index }) => claim.slice(0, index)),
    ...Array.from(claim.matchAll(/ = /g), ({ index }) => claim.slice(index + 3)),
  ];
  const matches = parts.some((part) => matchesAll(tokensOf(part), printed));
  return matches ? null : `\`${claim}\` is claimed, and printed is \`${printed.join(' ')}\``;
}

function endsBeyond(values: readonly unknown[], below: boolean, bound: number): string | null {
  for (const list of values) {
    const numbers = (Array.isArray(list) ? list : []) as readonly number[];
    const [first, last] = [numbers[0], numbers.at(-1)];
    if (numbers.length < 2 || !numbers.every(Number.isFinite))
      return `${format(list)} is no list of two numbers or more`;
    const sign = below ? 1 : -1;
    if (!(sign * last! < sign * bound && sign * last! < sign * first!))
      return `from ${first} to ${last} is not ${below ? 'down to below' : 'up to above'} ${bound}`;
  }
  return null;
}

/** The words and numbers of a text, without what surrounds them. */
function tokensOf(text: string): string[] {
  return text
    .replaceAll('−', '-')
    .replaceAll(/\b(?:Float64|Float32|Int32|Uint8)Array\(\d+\)|\[length\]: \d+/g, ' ')
    .replaceAll(/[[\](){},;'"`]|\band\b/g, ' ')
    .split(/\s+/)
    .filter((token) => token !== '');
}

function matchesAll(claimed: readonly string[], printed: readonly string[]): boolean {
  const [first, ...rest] = claimed;
  if (first === undefined) return printed.length === 0;
  if (first === '…')
    return Array.from({ length: printed.length + 1 }, (_, from) => printed.slice(from)).some(
      (left) => matchesAll(rest, left),
    );
  const [word, ...left] = printed;
  return word !== undefined && matchesOne(first, word) && matchesAll(rest, left);
}

function matchesOne(claimed: string, printed: string): boolean {
  if (claimed === printed) return true;
  if (claimed.endsWith('…')) return printed.startsWith(claimed.slice(0, -1));
  const number = /^-?\d*\.?(\d*)(?:\/(\d+))?$/.exec(claimed);
  if (number === null || claimed === '-') return false;
  const [, decimals, divisor] = number;
  const value = Number.parseFloat(claimed) / Number(divisor ?? 1);
  // Half of the last digit that is shown, or rounding.
  const room = divisor === undefined && decimals !== '' ? 0.5 * 10 ** -decimals!.length : 0;
  return Math.abs(value - Number(printed)) <= room + 1e-6 * Math.max(1, Math.abs(value));
}
