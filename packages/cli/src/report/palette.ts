// How strategies look, wherever they are drawn: in reports, on the live page, in the playground and in the figures of the
// documentation. This file imports nothing, so that each of them can.

/** A colour on paper, the darker one in which words are written there, and the one on a dark page. */
export interface Colour {
  readonly light: string;
  readonly words: string;
  readonly dark: string;
}

/**
 * Colours that stay apart under the common kinds of colour blindness (Okabe & Ito, 2008); their pale yellow, which does not
 * show on white, is left out.
 */
export const colours: readonly Colour[] = [
  { light: '#e69f00', words: '#8a6200', dark: '#f0b93c' },
  { light: '#4d4d4d', words: '#4d4d4d', dark: '#e6e6e6' },
  { light: '#009e73', words: '#007a57', dark: '#2fc898' },
  { light: '#cc79a7', words: '#a8487e', dark: '#dd8fba' },
  { light: '#0072b2', words: '#0072b2', dark: '#4aa3df' },
  { light: '#56b4e9', words: '#1c74a8', dark: '#8fd0f5' },
  { light: '#d55e00', words: '#c04f00', dark: '#f0803c' },
];

/** What is drawn in no strategy's colour. */
export const ink = '#1a1a1a';

/** Dash patterns, as many as colours: they tell lines apart in a print without colours. */
const dashes = [
  [],
  [6, 3],
  [10, 3],
  [2, 2],
  [8, 3, 2, 3],
  [8, 2, 2, 2, 2, 2],
  [4, 2, 1, 2],
] as const;

/** Names of marks in Vega, as many as colours. */
type Shape =
  'circle' | 'square' | 'triangle-up' | 'diamond' | 'triangle-down' | 'cross' | 'triangle-right';

/** Marks, each with its outline around the origin for a legend. */
export const shapePaths: Readonly<Record<Shape, string>> = {
  circle: 'M-3.5,0A3.5,3.5,0,1,1,3.5,0A3.5,3.5,0,1,1,-3.5,0Z',
  square: 'M-3.2,-3.2h6.4v6.4h-6.4Z',
  'triangle-up': 'M0,-3.8L3.8,3.4H-3.8Z',
  diamond: 'M0,-4.4L3.4,0L0,4.4L-3.4,0Z',
  'triangle-down': 'M0,3.8L3.8,-3.4H-3.8Z',
  cross: 'M-4,-1.4H-1.4V-4H1.4V-1.4H4V1.4H1.4V4H-1.4V1.4H-4Z',
  'triangle-right': 'M3.8,0L-3.4,-3.8V3.8Z',
};
const shapes = Object.keys(shapePaths) as readonly Shape[];

/**
 * The strategies that come with multigrad and the baselines. The first seven have a colour of their own; each of the others
 * shares one with them, and has another dash pattern.
 */
const known = [
  ...['mmpareto', 'sum', 'pcgrad', 'mgda', 'joint', 'upgrad', 'cagrad'],
  ...['nash-mtl', 'scaled-sum', 'conflict-free', 'imtl-g', 'aligned-mtl', 'dualproj', 'fairgrad'],
  ...['db-mtl', 'uncertainty-weighting', 'graddrop', 'gradnorm', 'gradvac', 'edm', 'moco'],
  ...['modo', 'dwa', 'sdmgrad', 'random-gradient-weighting', 'krum', 'trimmed-mean', 'famo'],
];

/** How one strategy, or another thing that charts compare, looks in every chart. */
export interface StrategyStyle {
  /** The strategy's specifier. */
  readonly strategy: string;
  /** What a legend calls it. */
  readonly title: string;
  /** On paper, as `#rrggbb`. */
  readonly colour: string;
  /** In which words are written on paper, as `#rrggbb`. */
  readonly words: string;
  /** On a dark page, as `#rrggbb`. */
  readonly dark: string;
  /** Lengths of dashes and gaps; empty for a solid line. */
  readonly dash: readonly number[];
  /** Name of the mark in Vega. */
  readonly shape: Shape;
}

/** A colour's place in the palette, and which of the looks of that colour. */
interface Look {
  readonly colour: number;
  readonly variant: number;
}

function lookOf(specifier: string): Look | null {
  const place = known.indexOf(specifier.replace(/:.*$/s, ''));
  if (place < 0) return null;
  return { colour: place % colours.length, variant: Math.floor(place / colours.length) };
}

/**
 * The looks of strategies that are compared with each other.
 *
 * A strategy has the same colour in every comparison, as long as no more than one wants it: the seven main ones always
 * do, others give way to them, and take a colour that is free. Only of more than seven strategies do some share a colour;
 * these have other dashes and marks. No two of up to 49 look the same.
 *
 * @param titles - what a legend calls a strategy, by specifier; itself where it has no entry
 *
 * @example
 * strategyStyles(['sum', 'mgda'])[1].colour is '#cc79a7', whatever it is compared with
 */
export function strategyStyles(
  strategies: readonly string[],
  titles: ReadonlyMap<string, string> = new Map(),
): StrategyStyle[] {
  const looks = new Map<string, Look>();
  const taken = (one: Look): boolean =>
    [...looks.values()].some((look) => look.colour === one.colour && look.variant === one.variant);
  const colourTaken = (colour: number): boolean =>
    [...looks.values()].some((look) => look.colour === colour);
  for (const strategy of strategies) {
    const place = known.indexOf(strategy);
    if (place >= 0 && place < colours.length) looks.set(strategy, { colour: place, variant: 0 });
  }
  for (const strategy of strategies) {
    if (looks.has(strategy)) continue;
    const home = lookOf(strategy);
    if (home !== null && !colourTaken(home.colour)) {
      looks.set(strategy, home);
      continue;
    }
    const free = colours.findIndex((_, colour) => !colourTaken(colour));
    const colour = free >= 0 ? free : (home?.colour ?? looks.size % colours.length);
    looks.set(strategy, unusedLook(colour, taken));
  }
  return strategies.map((strategy) => {
    const { colour, variant } = looks.get(strategy)!;
    const { light, words, dark } = colours[colour]!;
    return {
      strategy,
      title: titles.get(strategy) ?? strategy,
      colour: light,
      words,
      dark,
      dash: dashes[(colour + variant) % dashes.length]!,
      shape: shapes[(colour + variant) % shapes.length]!,
    };
  });
}

/** The first look of a colour that is not taken, or of another colour where all are; the first of all where all are. */
function unusedLook(colour: number, taken: (look: Look) => boolean): Look {
  for (let turn = 0; turn < colours.length; turn += 1) {
    for (let variant = 0; variant < dashes.length; variant += 1) {
      const look = { colour: (colour + turn) % colours.length, variant };
      if (!taken(look)) return look;
    }
  }
  return { colour, variant: 0 };
}
