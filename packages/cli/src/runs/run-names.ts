import type { ComparisonConfig } from './config.ts';
import { parseRunLabel } from './run-label.ts';
import { learningRates } from './settings.ts';

/** A run's label as a part of a file name: letters, digits and `. _ = -` of each method stay, and the plus between them. */
function slug(label: string): string {
  const { strategy, balance } = parseRunLabel(label);
  return balance === null ? plain(strategy) : `${plain(strategy)}+${plain(balance)}`;
}

function plain(specifier: string): string {
  const kept = specifier.replaceAll(/[^A-Za-z0-9._=-]+/g, '-').replaceAll(/^[-.]+|[-.]+$/g, '');
  return kept === '' ? 'strategy' : kept.slice(0, 100);
}

/** One run of a comparison: a strategy trained with one seed and one learning rate. */
export interface Run {
  /** The strategy's specifier as the user wrote it, and behind a plus the balancing method's: see `parseRunLabel`. */
  readonly strategy: string;
  readonly seed: number;
  /** Learning rate. */
  readonly lr: number;
}

/** A run with the name of its folder. */
export interface RunName extends Run {
  readonly name: string;
}

/**
 * The name of each run's folder, `<strategy>-seed<k>`, with `-lr<rate>` where there are several learning rates;
 * specifiers that would share one get a number.
 */
export function runNames({ strategies, seeds, settings }: ComparisonConfig): RunName[] {
  const rates = learningRates(settings);
  const taken = new Set<string>();
  const slugs = new Map<string, string>();
  for (const strategy of strategies) {
    const wanted = slug(strategy);
    let name = wanted;
    // File systems that ignore case would put `Sum` and `sum` into one folder.
    for (let count = 2; taken.has(name.toLowerCase()); count += 1) name = `${wanted}-${count}`;
    taken.add(name.toLowerCase());
    slugs.set(strategy, name);
  }
  // Seeds outside: after an interruption every strategy has been run with the first seeds.
  return seeds.flatMap((seed) =>
    rates.flatMap((lr) =>
      strategies.map((strategy) => ({
        strategy,
        seed,
        lr,
        name: `${slugs.get(strategy)!}-seed${seed}${rates.length > 1 ? `-lr${lr}` : ''}`,
      })),
    ),
  );
}
