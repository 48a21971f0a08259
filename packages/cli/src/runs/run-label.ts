/** What a run trains with: a strategy, and a balancing method beside it. */
export interface RunMethods {
  /** The strategy's specifier. */
  readonly strategy: string;
  /** The balancing method's specifier; null for none. */
  readonly balance: string | null;
}

// A method's name, then options or nothing: `1e+5` and paths with a plus go on otherwise.
const separator = /\+(?=[a-z][a-z0-9]*(?:-[a-z0-9]+)*(?::|$))/;

/**
 * The label of a run: the strategy's specifier, and behind a plus the balancing method's, as in
 * `mmpareto:gamma=2+ogm-ge:alpha=0.3`. Records, folders, tables and configurations call a run's methods so.
 */
export function runLabel({ strategy, balance }: RunMethods): string {
  return balance === null ? strategy : `${strategy}+${balance}`;
}

/** Takes a run's label apart. */
export function parseRunLabel(label: string): RunMethods {
  const at = label.search(separator);
  if (at <= 0) return { strategy: label, balance: null };
  return { strategy: label.slice(0, at), balance: label.slice(at + 1) };
}

/** The labels of all strategies with all balancing methods, strategy by strategy. */
export function crossed(
  strategies: readonly string[],
  balances: readonly (string | null)[],
): string[] {
  return strategies.flatMap((strategy) =>
    balances.map((balance) => runLabel({ strategy, balance })),
  );
}
