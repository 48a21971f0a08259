/**
 * Finds the candidate most like a misspelt name, for "Did you mean …?"; undefined where none is close.
 *
 * Case, and how words are joined (`-`, `_`, blanks), don't count. What is left is compared by the edit distance of
 * insertions, deletions, substitutions and swaps of neighbouring letters (Damerau-Levenshtein, optimal string
 * alignment); close means at most one edit for every three letters of the longer name, and at least one. The first of
 * equally close candidates wins.
 *
 * @example
 * ```ts
 * import { nearestName } from '@multigrad/core/strategy';
 *
 * console.log(nearestName('PC-Grad', ['sum', 'pcgrad', 'mgda'])); // pcgrad
 * console.log(nearestName('adam', ['sum', 'pcgrad'])); // undefined
 * ```
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = comparable(name);
  let nearest: string | undefined;
  let nearestDistance = Infinity;
  for (const candidate of candidates) {
    const letters = comparable(candidate);
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, letters.length) / 3));
    // The lengths alone differ by too much: no need for the table.
    if (Math.abs(wanted.length - letters.length) > allowed) continue;
    const distance = editDistance(wanted, letters);
    if (distance <= allowed && distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/** The end of a message: " Did you mean `x`?" with a leading space, or an empty text where no name is near. */
export function didYouMean(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? '' : ` Did you mean \`${nearest}\`?`;
}

/** Lists names for a message: "`a`, `b`, `c`", or "none". */
export function listNames(names: Iterable<string>): string {
  const quoted = Array.from(names, (name) => `\`${name}\``);
  return quoted.length === 0 ? 'none' : quoted.join(', ');
}

function comparable(name: string): string {
  return name.toLowerCase().replaceAll(/[-_\s]/g, '');
}

function editDistance(a: string, b: string): number {
  // Three rows of the table are enough: a swap looks back two.
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = a[i - 1] === b[j - 1] ? 0 : 1;
      let distance = Math.min(
        previous[j]! + 1,
        current[j - 1]! + 1,
        previous[j - 1]! + substitution,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, beforePrevious[j - 2]! + 1);
      }
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}
