import { checkKnownOptions, didYouMean, listNames } from '@multigrad/core/support';
import { MultigradError, own } from '@multigrad/core/strategy';
import {
  assertShape,
  byName,
  dependent,
  fields,
  list,
  type Shape,
  shape,
  text,
} from '../runs/shape.ts';

/** A line of every table of a study: how gradients are put together. */
export interface ProtocolRow {
  /** A strategy's specifier, as on the command line. */
  readonly strategy: string;
  /** A balancing method's specifier. @defaultValue none */
  readonly balance?: string;
  /** What tables call the row. @defaultValue the strategy's title */
  readonly title?: string;
  /** What the learning rates of a setting are multiplied by for this row, > 0. @defaultValue 1 */
  readonly rateFactor?: number;
}

/** Another program that makes runs of a setting: from the same data, initial weights and order of samples. */
export interface ProtocolPeer {
  /** What the page calls it. */
  readonly title: string;
  /** Folder of its records, relative to the protocol's: JSON files with `row`, `lr`, `seed` and `curves.test`. */
  readonly records: string;
}

/** An experiment with the options that it is run with. */
export interface ProtocolSetting {
  /** Name of an experiment, a path relative to the protocol's folder, or an npm package. */
  readonly experiment: string;
  /** The experiment's preset. @defaultValue its first one */
  readonly preset?: string;
  /** The experiment's options by flag name; those that are left out are the preset's. */
  readonly options?: Readonly<Record<string, number | string | boolean>>;
  /** Options that name a folder of this machine, which the user gives on the command line. @defaultValue none */
  readonly paths?: readonly string[];
  /** Learning rates that are tried for each row. @defaultValue those of the study */
  readonly rates?: readonly number[];
  /** Number of seeds. @defaultValue that of the study */
  readonly seeds?: number;
  /** Names of the rows that are run. @defaultValue all */
  readonly rows?: readonly string[];
  /**
   * Batches over which, before training and after each epoch, gradients of the first reference's runs are compared at fixed weights: an
   * integer >= 2. No figure of a run depends on it. @defaultValue none
   */
  readonly inspect?: number;
  /** A program whose scores the page sets beside those of the same runs here. @defaultValue none */
  readonly peer?: ProtocolPeer;
}

/**
 * A protocol: what a study measures. Each row of each setting is run with one seed at every learning rate; the rate that
 * validates best is then run with the other seeds.
 */
export interface Protocol {
  readonly format: 1;
  /** Name of the study. */
  readonly name: string;
  /** Folder of the records, relative to the protocol's. */
  readonly records: string;
  /** Number of seeds of each row, from 0 on. */
  readonly seeds: number;
  /** Learning rates that are tried. */
  readonly rates: readonly number[];
  /** The rows that others are compared with. */
  readonly references: readonly string[];
  readonly rows: Readonly<Record<string, ProtocolRow>>;
  readonly settings: Readonly<Record<string, ProtocolSetting>>;
}

const name = /^[a-z0-9][a-z0-9-]*$/;

const rate = shape('a number > 0', (value) => Number.isFinite(value) && (value as number) > 0);
const seeds = shape('an integer >= 1', (value) => Number.isSafeInteger(value) && Number(value) > 0);
const distinct = (inner: Shape): Shape =>
  dependent(list(inner), () =>
    shape('a list of at least one, none of them twice', (value) => {
      const { length } = value as readonly unknown[];
      return length > 0 && new Set(value as readonly unknown[]).size === length;
    }),
  );
const option = shape('a number, a text, true or false', (value) =>
  ['number', 'string', 'boolean'].includes(typeof value),
);
const named = (inner: Shape): Shape =>
  dependent(byName(inner), () =>
    shape('at least one, named in kebab case', (value) => {
      const names = Object.keys(value as object);
      return names.length > 0 && names.every((one) => name.test(one));
    }),
  );

const rowShape = fields({ strategy: text }, { balance: text, title: text, rateFactor: rate });
const settingShape = fields(
  { experiment: text },
  {
    preset: text,
    options: byName(option),
    paths: distinct(text),
    rates: distinct(rate),
    seeds,
    rows: distinct(text),
    inspect: shape('an integer >= 2', (value) => Number.isSafeInteger(value) && Number(value) > 1),
    peer: fields({ title: text, records: text }),
  },
);
const protocolShape = fields({
  format: shape('1, the format that this version reads', (value) => value === 1),
  name: shape('a name in kebab case', (value) => typeof value === 'string' && name.test(value)),
  records: text,
  seeds,
  rates: distinct(rate),
  references: distinct(text),
  rows: named(rowShape),
  settings: named(settingShape),
});

/**
 * Checks a protocol that was read.
 *
 * @param where - its file, for messages
 * @throws MultigradError `invalid-data` for a value that is not what it should be, `invalid-option` for a field that does
 *   not exist or a row that is not there, with the nearest name
 */
export function checkProtocol(value: unknown, where: string): Protocol {
  assertShape(value, fields({}), where);
  checkKnownOptions<Protocol>(where, value as Protocol, {
    ...{ format: true, name: true, records: true, seeds: true, rates: true, references: true },
    ...({ rows: true, settings: true } as const),
  });
  // Fields that do not exist come first: a misspelt one would be reported as missing.
  for (const [row, fieldsOf] of entriesIn(value, 'rows')) {
    checkKnownOptions<Required<ProtocolRow>>(`${where}: rows.${row}`, fieldsOf as never, {
      ...{ strategy: true, balance: true, title: true, rateFactor: true },
    });
  }
  for (const [setting, fieldsOf] of entriesIn(value, 'settings')) {
    checkKnownOptions<Required<ProtocolSetting>>(
      `${where}: settings.${setting}`,
      fieldsOf as never,
      {
        ...{ experiment: true, preset: true, options: true, paths: true, rates: true },
        ...({ seeds: true, rows: true, inspect: true, peer: true } as const),
      },
    );
    const peer = own(fieldsOf as Readonly<Record<string, unknown>>, 'peer');
    if (typeof peer === 'object' && peer !== null) {
      checkKnownOptions<ProtocolPeer>(`${where}: settings.${setting}.peer`, peer as ProtocolPeer, {
        title: true,
        records: true,
      });
    }
  }
  assertShape(value, protocolShape, where);
  const protocol = value as Protocol;
  assertRows(protocol.references, protocol, `${where}: references`);
  for (const [setting, { rows = [] }] of Object.entries(protocol.settings)) {
    assertRows(rows, protocol, `${where}: settings.${setting}.rows`);
  }
  return protocol;
}

/** The entries of a field that may be anything: objects by name. */
function entriesIn(value: unknown, field: string): [string, object][] {
  const found = own(value as Readonly<Record<string, unknown>>, field);
  if (typeof found !== 'object' || found === null) return [];
  return Object.entries(found).filter(
    (entry): entry is [string, object] => typeof entry[1] === 'object' && entry[1] !== null,
  );
}

function assertRows(rows: readonly string[], { rows: known }: Protocol, where: string): void {
  checkNames(rows, Object.keys(known), where, 'row');
}

/** @throws MultigradError `invalid-option` for a name that is none of those known */
export function checkNames(
  names: readonly string[],
  known: readonly string[],
  where: string,
  noun: string,
): void {
  for (const one of names) {
    if (known.includes(one)) continue;
    throw new MultigradError(
      'invalid-option',
      `${where}: there is no ${noun} \`${one}\`.${didYouMean(one, known)} There are ${listNames(known)}.`,
    );
  }
}
