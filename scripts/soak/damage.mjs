// What spoils a file: strange values in JSON, wrong bits, checksums made to fit again.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

export const sha256 = (content) => createHash('sha256').update(content).digest('hex');

/** Values that nobody expects. */
const strange = [
  null,
  -1,
  1.5,
  2 ** 53,
  '',
  'NaN',
  [],
  {},
  [[]],
  { length: -1 },
  true,
  '__proto__',
  '../../x',
  1e308,
];

export const pick = (list, random) => list[random.integer(list.length)];

/** Puts something strange at a random place of a JSON value, or takes a field away. */
export function mutate(value, random, choices = strange) {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (keys.length === 0 || random.uniform() < 0.15) return pick(choices, random);
  const key = pick(keys, random);
  const copy = Array.isArray(value) ? [...value] : { ...value };
  if (random.uniform() < 0.1) delete copy[key];
  else copy[key] = mutate(value[key], random, choices);
  return copy;
}

/** Makes a manifest's checksum right again, as somebody would who means harm. */
export function reseal(path, change) {
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  delete manifest.sha256;
  const changed = change(manifest);
  if (typeof changed !== 'object' || changed === null) writeFileSync(path, JSON.stringify(changed));
  else writeFileSync(path, JSON.stringify({ ...changed, sha256: sha256(JSON.stringify(changed)) }));
}

/** Bytes of a file with something wrong in the first `span` of them. */
export function scramble(bytes, random, span = bytes.length) {
  const copy = Buffer.from(bytes);
  const changes = 1 + random.integer(4);
  for (let change = 0; change < changes && copy.length > 0; change += 1) {
    copy[random.integer(Math.min(span, copy.length))] ^= 1 << random.integer(8);
  }
  return copy;
}
