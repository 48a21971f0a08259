/**
 * Colours that stay apart under the common kinds of colour blindness (Okabe & Ito, 2008), darkest first so that thin
 * lines show on white; their pale yellow is left out.
 */
const colours = [
  '#4d4d4d',
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
] as const;

/** Dash patterns that tell apart the strategies beyond the seventh, and help in a black-and-white print. */
const dashes = [[], [6, 3], [2, 2], [8, 3, 2, 3]] as const;

/** How one strategy looks in every chart. */
export interface StrategyStyle {
  readonly strategy: string;
  readonly colour: string;
  readonly dash: readonly number[];
}

/** A colour and a dash pattern for each strategy, by its place in the configuration. */
export function strategyStyles(strategies: readonly string[]): StrategyStyle[] {
  return strategies.map((strategy, index) => ({
    strategy,
    colour: colours[index % colours.length]!,
    dash: dashes[Math.floor(index / colours.length) % dashes.length]!,
  }));
}
