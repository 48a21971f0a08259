import { nearestName, own } from '@multigrad/core/strategy';
import type { Experiment, OpenExperiment } from '@multigrad/experiment';
import { invalidExperiment, listed } from './invalid-experiment.ts';

/** The fields of an open experiment, checked by the compiler: none may be missing. */
const openFields: Readonly<Record<keyof OpenExperiment, true>> = {
  ...{ network: true, data: true, modalities: true },
  ...{ objectives: true, predict: true, predictMasked: true, labels: true },
  ...{ evaluate: true, dispose: true },
};
const dataFields: Readonly<Record<keyof OpenExperiment['data'], true>> = {
  ...{ train: true, validation: true, test: true, prefetch: true },
};

/**
 * Checks what `open` of an experiment returned, as far as it can be seen without a forward pass; its network is checked
 * apart.
 *
 * @throws MultigradError `invalid-experiment` naming the field
 */
export function assertOpened(
  experiment: Experiment,
  value: unknown,
): asserts value is OpenExperiment {
  const fail = (field: string, expected: string, found: unknown): never => {
    throw invalidExperiment(
      experiment,
      `\`${field}\` of what \`open\` returns should be ${expected}`,
      found,
    );
  };
  if (!isObject(value)) {
    throw invalidExperiment(
      experiment,
      '`open` should return an object with `network`, `data` and `objectives`',
      value,
    );
  }
  assertFields(experiment, 'What `open` returns', value, openFields);
  const { data, objectives, predict, predictMasked, labels, evaluate, dispose, modalities } = value;
  if (typeof objectives !== 'function') {
    fail('objectives', 'a function from a batch to losses by name', objectives);
  }
  for (const [field, hook] of Object.entries({ predict, predictMasked, evaluate, dispose })) {
    if (hook !== undefined && typeof hook !== 'function') fail(field, 'a function', hook);
  }
  if (modalities !== undefined && !isTexts(modalities)) {
    fail('modalities', 'an array of names of entries of a batch', modalities);
  }
  if (labels !== undefined && typeof labels !== 'string') {
    fail('labels', 'the name of an entry of a batch', labels);
  }
  if (!isObject(data)) fail('data', 'an object with `train` and `test`', data);
  const sets = data as Readonly<Record<string, unknown>>;
  assertFields(experiment, '`data`', sets, dataFields);
  for (const name of ['train', 'validation', 'test']) {
    const set = own(sets, name);
    const optional = name === 'validation' && (set === undefined || set === null);
    if (optional || isSamples(set) || isBatches(set)) continue;
    fail(
      `data.${name}`,
      'samples, `{ count, batch(indices) }` with a `count` of at least 1, or batches, `{ steps, batches(epoch) }`',
      set,
    );
  }
  const { prefetch = 0 } = sets;
  if (!Number.isSafeInteger(prefetch) || (prefetch as number) < 0) {
    fail('data.prefetch', 'an integer >= 0', prefetch);
  }
}

function assertFields(experiment: Experiment, where: string, value: object, known: object): void {
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(known, name)) continue;
    const near = nearestName(name, Object.keys(known));
    const hint = near === undefined ? '' : `, such as \`${near}\``;
    throw invalidExperiment(
      experiment,
      `${where} should have no other fields than ${listed(Object.keys(known))}${hint}`,
      name,
    );
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

function isSamples(value: unknown): boolean {
  return isObject(value) && isCount(value['count']) && typeof value['batch'] === 'function';
}

function isBatches(value: unknown): boolean {
  return isObject(value) && isCount(value['steps']) && typeof value['batches'] === 'function';
}
