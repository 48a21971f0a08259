import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { MultigradError, own } from '@multigrad/core/strategy';
import { describeValue, didYouMean, ioError } from '@multigrad/core/support';
import { type Ray, rayAlong } from './rays.ts';

// Numbers by objective, as users write them: preferences of a front, and the reference point of its hypervolume.

/**
 * One number > 0 for each objective: `0.2,0.8` in the order of the objectives, or by name as in `right=0.8,left=0.2`.
 *
 * @param where - what the text is, for messages
 * @throws MultigradError `invalid-option` naming the entry that is misspelt, missing, there twice or no number > 0
 */
export function numbersByObjective(
  objectives: readonly string[],
  text: string,
  where: string,
): Readonly<Record<string, number>> {
  const refuse = (found: string): never => {
    throw new MultigradError(
      'invalid-option',
      `${where} should be a finite number > 0 for each objective (${objectives.join(', ')}): in that order, as in ` +
        `${objectives.map(() => 1).join(',')}, or by name, as in ${objectives.map((name) => `${name}=1`).join(',')}. Found ${found}`,
    );
  };
  const entries = text.split(',').map((entry) => entry.trim());
  const isNamed = entries.some((entry) => entry.includes('='));
  const found = new Map<string, number>();
  entries.forEach((entry, at) => {
    const equals = entry.lastIndexOf('=');
    if (isNamed && equals < 0) refuse(`${describeValue(entry)} without a name.`);
    const name = isNamed ? entry.slice(0, equals).trim() : objectives[at];
    if (name === undefined) return refuse(`${entries.length} numbers.`);
    if (!objectives.includes(name)) {
      return refuse(`the name ${describeValue(name)}.${didYouMean(name, objectives)}`);
    }
    if (found.has(name)) refuse(`\`${name}\` twice.`);
    const written = entry.slice(equals + 1).trim();
    const value = written === '' ? NaN : Number(written);
    if (!(value > 0 && Number.isFinite(value)))
      refuse(`${describeValue(written)} for \`${name}\`.`);
    found.set(name, value);
  });
  const missing = objectives.filter((name) => !found.has(name));
  if (missing.length > 0) refuse(`none for ${missing.map((name) => `\`${name}\``).join(', ')}.`);
  return Object.fromEntries(objectives.map((name) => [name, found.get(name)!]));
}

/**
 * The rays of preferences that a user writes: how much each objective counts, so that its loss is to end at a share
 * `1 / preference` of the ray.
 *
 * @param given - preferences with semicolons between them, `0.2,0.8;0.5,0.5`, or the name of a file with one on each line;
 *   blank lines of a file and those that begin with # are left aside
 * @param folder - where the file's name starts
 * @throws MultigradError `invalid-option` for what is no preference, `invalid-data` for it in a file, `io` for a file that
 *   cannot be read
 */
export async function readPreferences(
  objectives: readonly string[],
  given: string,
  folder: string,
): Promise<Ray[]> {
  const isList = /[,;=]/.test(given);
  const entries = isList
    ? given.split(';').map((text, at) => ({ text, where: `Preference ${at + 1} of --preferences` }))
    : linesOf(await textOf(given, folder), given);
  if (entries.length === 0) {
    throw new MultigradError(
      'invalid-data',
      `${given} should hold a preference on each line. Found none.`,
    );
  }
  const seen = new Map<string, string>();
  return entries.map(({ text, where }) => {
    const ray = rayOfPreference(numbersByObjective(objectives, text, where));
    const same = JSON.stringify(Object.values(ray).map((value) => value.toPrecision(5)));
    const before = seen.get(same);
    if (before !== undefined) {
      throw new MultigradError(
        'invalid-option',
        `Each preference should be another direction: two runs on one ray are the same. Found ${where} beside ${before}.`,
      );
    }
    seen.set(same, where);
    return ray;
  });
}

async function textOf(path: string, folder: string): Promise<string> {
  try {
    return await readFile(resolve(folder, path), 'utf8');
  } catch (cause) {
    const { message } = ioError(`read ${path}`, cause);
    throw new MultigradError(
      'io',
      `${message} Option \`preferences\` takes preferences, as in 0.2,0.8;0.5,0.5, or the name of a file with one on each line.`,
      { cause },
    );
  }
}

function linesOf(content: string, file: string): { text: string; where: string }[] {
  return content.split(/\r?\n/).flatMap((line, at) => {
    const text = line.trim();
    return text === '' || text.startsWith('#') ? [] : [{ text, where: `${file}, line ${at + 1},` }];
  });
}

function rayOfPreference(preference: Readonly<Record<string, number>>): Ray {
  // A ratio first, so that no reciprocal leaves the range of numbers.
  const most = Math.max(...Object.values(preference));
  return rayAlong(
    Object.fromEntries(Object.entries(preference).map(([name, value]) => [name, most / value])),
  );
}

/** A ray as the preference that it belongs to, in as few digits as name it: `0.2,0.8`. */
export function preferenceText(objectives: readonly string[], ray: Ray): string {
  const counts = objectives.map((name) => 1 / own(ray, name)!);
  const total = counts.reduce((sum, value) => sum + value, 0);
  const written = (digits: number): string =>
    counts.map((value) => String(Number((value / total).toPrecision(digits)))).join(',');
  const names = (text: string): boolean => {
    const read = rayOfPreference(numbersByObjective(objectives, text, 'A preference'));
    return objectives.every((name) => Math.abs(own(read, name)! / own(ray, name)! - 1) < 1e-12);
  };
  const digits = Array.from({ length: 17 }, (_, at) => at + 1);
  return written(digits.find((count) => names(written(count))) ?? 17);
}
