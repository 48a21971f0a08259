import { reach } from '../paths/contours.ts';
import { coordinate } from '../plane/view.ts';
import { listed } from '../numbers.ts';
import { backends, lastStep, networks, objectives, seeds } from '../training/protocol.ts';
import { type Codec, integer, number, oneOf, points, strategyIds, strategyPair } from './codecs.ts';
import {
  paces,
  pathLimits,
  pathRates,
  type PlaygroundState,
  usualRate,
  usualState,
  views,
} from './state.ts';

/** One field of an address: a part of the state. */
interface Field {
  readonly key: string;
  readonly write: (state: PlaygroundState) => string;
  /** The state with this part read from the text, or null for a text that is no such part. */
  readonly read: (text: string, state: PlaygroundState) => PlaygroundState | null;
}

type Part = 'training' | 'plane' | 'paths';

/** A field of one view. */
function field<P extends Part, K extends keyof PlaygroundState[P]>(
  key: string,
  part: P,
  name: K,
  codec: Codec<PlaygroundState[P][K]>,
): Field {
  return {
    key,
    // eslint-disable-next-line multigrad/no-foreign-keys -- one of the three names of `Part`
    write: (state) => codec.write(state[part][name]),
    read: (text, state) => {
      const value = codec.read(text);
      return value === null ? null : { ...state, [part]: { ...state[part], [name]: value } };
    },
  };
}

const withinReach = (value: number): number | null => (Math.abs(value) <= reach ? value : null);

/** The open view, then what each view shows. */
const fields: readonly Field[] = [
  {
    key: 'view',
    write: ({ view }) => view,
    read: (text, state) => {
      const view = oneOf(views).read(text);
      return view === null ? null : { ...state, view };
    },
  },
  field('train', 'training', 'strategies', strategyPair),
  field('network', 'training', 'network', oneOf(networks)),
  field('seed', 'training', 'seed', integer(0, seeds - 1)),
  field('backend', 'training', 'backend', oneOf(backends)),
  field('curve', 'training', 'curve', oneOf(objectives)),
  field('trained', 'training', 'steps', integer(0, lastStep)),
  field('g', 'plane', 'gradients', points(2, 3, coordinate)),
  field('show', 'plane', 'shown', strategyIds),
  field('race', 'paths', 'strategies', strategyIds),
  field('from', 'paths', 'starts', points(0, pathLimits.starts, withinReach)),
  {
    key: 'optimizer',
    write: ({ paths }) => paths.optimizer,
    read: (text, state) => {
      const optimizer = oneOf(['adam', 'sgd']).read(text);
      if (optimizer === null) return null;
      const rate = usualRate(optimizer);
      return { ...state, paths: { ...state.paths, optimizer, rate } };
    },
  },
  {
    key: 'rate',
    write: ({ paths }) => String(paths.rate),
    read: (text, state) => {
      const rate = number((one) => pathRates[state.paths.optimizer].includes(one)).read(text);
      return rate === null ? null : { ...state, paths: { ...state.paths, rate } };
    },
  },
  field(
    'pace',
    'paths',
    'pace',
    number((one) => paces.some((pace) => pace === one)),
  ),
  field('walked', 'paths', 'steps', integer(0, pathLimits.steps)),
];

/** The part of an address behind `#` that shows this state again: the view, and all that is not as usual. */
export function addressOf(state: PlaygroundState): string {
  return fields
    .filter(({ key, write }) => key === 'view' || write(state) !== write(usualState))
    .map(({ key, write }) => `${key}=${write(state)}`)
    .join('&');
}

/** What an address shows. */
export interface Read {
  readonly state: PlaygroundState;
  /** What of the address cannot be shown, as a sentence; absent where all of it can. */
  readonly problem?: string;
}

/**
 * Reads the part of an address behind `#`. What it does not name is as usual; so is what it names and nobody understands,
 * which the problem tells. A view's name alone, as anchors have it, opens the view.
 */
export function stateOfAddress(hash: string): Read {
  const text = hash.replace(/^#/, '');
  const anchor = views.find((view) => view === text);
  if (text === '' || anchor !== undefined)
    return { state: { ...usualState, view: anchor ?? usualState.view } };
  const given = new URLSearchParams(text);
  const known = new Set(fields.map(({ key }) => key));
  const wrong = [...given.keys()].filter((key) => !known.has(key));
  // Addresses of the time at which the plane alone had one name no view.
  let state = given.has('g') ? { ...usualState, view: 'plane' as const } : usualState;
  for (const { key, read } of fields) {
    const written = given.get(key);
    if (written === null) continue;
    const next = read(written, state);
    if (next === null) wrong.push(key);
    else state = next;
  }
  if (wrong.length === 0) return { state };
  const names = listed(wrong.map((key) => (known.has(key) ? `${key}=${given.get(key)}` : key)));
  return {
    state,
    problem: `This address holds something that the playground cannot show (${names}). What you see there instead is the usual view.`,
  };
}
