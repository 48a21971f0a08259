import { MultigradError, nearestName } from '@multigrad/core/strategy';
import { assertOptionSpec, describeValue } from '@multigrad/core/support';
import type { ExperimentDefinition } from './experiment.ts';
import type { Metric } from './metric.ts';
import { settingKinds } from './settings.ts';

/** The fields of a definition, checked by the compiler: none may be missing. */
const definitionFields: Readonly<Record<keyof ExperimentDefinition, true>> = {
  ...{ name: true, title: true, summary: true, sources: true, objectives: true, baseline: true },
  ...{ metrics: true, settings: true, presets: true, strategies: true, check: true, open: true },
};
const metricFields: Readonly<Record<keyof Metric, true>> = {
  ...{ title: true, direction: true, unit: true, objectives: true },
};
const pathFields = { kind: true, description: true };
const presetFields = { summary: true, seeds: true, settings: true };

const kebabCase = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const word = /^[A-Za-z][\w-]*$/;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Checks an experiment as its author wrote it.
 *
 * @throws MultigradError `invalid-experiment` naming the first field that is wrong
 */
export function checkDefinition(value: unknown): void {
  const definition = asFields('An experiment', value, 'an object made by `defineExperiment`');
  const { name, title, summary, sources, baseline, check, open } = definition;
  const owner = `Experiment${typeof name === 'string' ? ` \`${name}\`` : ''}`;
  const expect = (holds: boolean, field: string, expected: string, found: unknown): void => {
    if (!holds) fail(owner, field, expected, found);
  };
  checkFields(owner, '', definition, definitionFields);
  expect(isMatch(name, kebabCase), 'name', 'a name in kebab case, such as `my-experiment`', name);
  expect(title === undefined || isText(title), 'title', 'a text that is not empty', title);
  expect(summary === undefined || typeof summary === 'string', 'summary', 'a text', summary);
  expect(sources === undefined || isList(sources, isText), 'sources', 'an array of texts', sources);
  expect(typeof open === 'function', 'open', 'a function that makes network and data', open);
  expect(check === undefined || typeof check === 'function', 'check', 'a function', check);
  const objectives = checkObjectives(owner, definition['objectives']);
  expect(
    baseline === undefined || baseline === null || objectives.includes(baseline as string),
    'baseline',
    `one of the objectives, ${listed(objectives)}, or null`,
    baseline,
  );
  const { strategies } = definition;
  expect(
    strategies === undefined || (isList(strategies, isText) && strategies.length > 0),
    'strategies',
    'an array of specifiers of strategies',
    strategies,
  );
  checkMetrics(owner, definition['metrics'] ?? {}, objectives);
  checkSettings(owner, definition['settings'] ?? {});
  checkPresets(owner, definition['presets'] ?? {});
}

function checkObjectives(owner: string, value: unknown): readonly string[] {
  if (!isList(value, (one) => isMatch(one, word)) || value.length === 0) {
    fail(owner, 'objectives', 'an array of names: a letter, then letters, digits, - or _', value);
  }
  const seen = new Set(value.map((one) => one.toLowerCase()));
  // Baselines are named after objectives in lower case.
  if (seen.size < value.length)
    fail(owner, 'objectives', 'names that differ not by case alone', value);
  return value;
}

function checkMetrics(owner: string, value: unknown, objectives: readonly string[]): void {
  for (const [name, metric] of Object.entries(asField(owner, 'metrics', value))) {
    const where = `metrics.${name}`;
    if (!word.test(name) || name === 'loss') {
      fail(owner, 'metrics', 'named by words other than `loss`, which every objective has', name);
    }
    const fields = asField(owner, where, metric);
    checkFields(owner, where, fields, metricFields);
    const { title, direction, unit, objectives: its } = fields;
    if (title !== undefined && !isText(title)) {
      fail(owner, `${where}.title`, 'a text that is not empty', title);
    }
    if (direction !== 'higher' && direction !== 'lower') {
      fail(owner, `${where}.direction`, '"higher" or "lower", whichever is better', direction);
    }
    if (unit !== undefined && typeof unit !== 'string')
      fail(owner, `${where}.unit`, 'a text', unit);
    const known = (one: unknown): boolean => objectives.includes(one as string);
    if (its !== undefined && (!isList(its, known) || its.length === 0)) {
      fail(owner, `${where}.objectives`, `an array of some of ${listed(objectives)}`, its);
    }
  }
}

function checkSettings(owner: string, value: unknown): void {
  for (const [name, spec] of Object.entries(asField(owner, 'settings', value))) {
    const where = `settings.${name}`;
    if (!kebabCase.test(name)) {
      fail(owner, 'settings', 'named in kebab case, as their flags are', name);
    }
    const { kind, description } = asField(owner, where, spec);
    if (!settingKinds.includes(kind as string)) {
      fail(owner, `${where}.kind`, `one of ${settingKinds.join(', ')}`, kind);
    }
    if (!isText(description)) {
      fail(owner, `${where}.description`, 'a sentence with the unit and the range', description);
    }
    if (kind === 'path') checkFields(owner, where, asField(owner, where, spec), pathFields);
    else assertOptionSpec({ owner, field: 'settings', code: 'invalid-experiment' }, name, spec);
  }
}

function checkPresets(owner: string, value: unknown): void {
  for (const [name, preset] of Object.entries(asField(owner, 'presets', value))) {
    const where = `presets.${name}`;
    if (!kebabCase.test(name)) fail(owner, 'presets', 'named in kebab case', name);
    const fields = asField(owner, where, preset);
    checkFields(owner, where, fields, presetFields);
    const { summary, seeds, settings } = fields;
    if (!isText(summary)) fail(owner, `${where}.summary`, 'a text that is not empty', summary);
    if (seeds !== undefined && !(Number.isSafeInteger(seeds) && (seeds as number) >= 1)) {
      fail(owner, `${where}.seeds`, 'an integer >= 1', seeds);
    }
    if (settings !== undefined) asField(owner, `${where}.settings`, settings);
  }
}

/** Refuses fields that do not exist, which plain JavaScript would ignore. */
function checkFields(owner: string, where: string, value: Fields, known: object): void {
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(known, name)) continue;
    const near = nearestName(name, Object.keys(known));
    throw new MultigradError(
      'invalid-experiment',
      `${owner}: ${where === '' ? 'there is no field' : `\`${where}\` has no field`} \`${name}\`.` +
        `${near === undefined ? '' : ` Did you mean \`${near}\`?`} Its fields: ${listed(Object.keys(known))}.`,
    );
  }
}

function asFields(owner: string, value: unknown, expected: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw new MultigradError(
    'invalid-experiment',
    `${owner} should be ${expected}. Found ${describeValue(value)}.`,
  );
}

function asField(owner: string, field: string, value: unknown): Fields {
  return asFields(`${owner}: \`${field}\``, value, 'an object');
}

function fail(owner: string, field: string, expected: string, found: unknown): never {
  throw new MultigradError(
    'invalid-experiment',
    `${owner}: \`${field}\` should be ${expected}. Found ${describeValue(found)}.`,
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

function isMatch(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function isList(value: unknown, holds: (one: unknown) => boolean): value is readonly string[] {
  return Array.isArray(value) && value.every(holds);
}

function listed(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
