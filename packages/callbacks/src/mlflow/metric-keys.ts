/** Longest name of a metric that MLflow takes. */
const longest = 250;

/**
 * Names of metrics as MLflow takes them: letters, digits and `_-. :/`. Another character becomes `_`; a name that would meet
 * another one so gets a number, in the order in which names are first seen.
 */
export class MetricKeys {
  readonly #keys = new Map<string, string>();
  readonly #taken = new Set<string>();

  keyOf(tag: string): string {
    const known = this.#keys.get(tag);
    if (known !== undefined) return known;
    // Empty parts, and parts of dots alone, would make it a path that leads elsewhere.
    const plain = tag
      .replaceAll(/[^\w\-. :/]/g, '_')
      .split('/')
      .map((part) => (/^\.*$/.test(part) ? '_' : part))
      .join('/')
      .slice(0, longest);
    let key = plain;
    for (let count = 2; this.#taken.has(key); count += 1) {
      const ending = `_${String(count)}`;
      key = plain.slice(0, longest - ending.length) + ending;
    }
    this.#keys.set(tag, key);
    this.#taken.add(key);
    return key;
  }
}
