import { type Json, own } from '@multigrad/core/strategy';

/** Where two JSON values differ, as `path: one there, other here`. */
export function jsonDifferences(
  there: Json | undefined,
  here: Json | undefined,
  path: string,
): string[] {
  if (isRecord(there) && isRecord(here)) {
    return [...new Set([...Object.keys(there), ...Object.keys(here)])].flatMap((key) =>
      jsonDifferences(own(there, key), own(here, key), path === '' ? key : `${path}.${key}`),
    );
  }
  if (JSON.stringify(there) === JSON.stringify(here)) return [];
  return [`${path}: ${shown(there)} in the checkpoint, ${shown(here)} here`];
}

type Fields = Readonly<Record<string, Json>>;

function isRecord(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: Json | undefined): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
