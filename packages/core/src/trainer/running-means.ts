/** Means of named numbers, weighted by the samples they stand for. */
export class RunningMeans {
  readonly #sums = new Map<string, { total: number; weight: number }>();

  add(name: string, value: number, weight: number): void {
    if (weight > 0) this.addSum(name, value * weight, weight);
  }

  /** Adds what others have summed. */
  addSum(name: string, total: number, weight: number): void {
    const sum = this.#sums.get(name) ?? { total: 0, weight: 0 };
    sum.total += total;
    sum.weight += weight;
    this.#sums.set(name, sum);
  }

  /** The means so far, in the order in which the names first came. */
  means(): Map<string, number> {
    return new Map(Array.from(this.#sums, ([name, { total, weight }]) => [name, total / weight]));
  }

  /** Sums and weights so far. */
  sums(): readonly (readonly [name: string, total: number, weight: number])[] {
    return Array.from(this.#sums, ([name, { total, weight }]) => [name, total, weight] as const);
  }

  /** Goes on from a sum. */
  set(name: string, total: number, weight: number): void {
    this.#sums.set(name, { total, weight });
  }
}
