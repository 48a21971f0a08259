// Runs each peer on the inputs recorded in tests/peers and compares what it finds with what is recorded; with --update it
// records that instead.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [environment, ...options] = process.argv.slice(2);
const update = options.includes('--update');
const peers = [
  ['torchjd', 'torchjd_peer.py'],
  ['libmtl', 'libmtl_peer.py', 'LibMTL'],
  ['libmtl-sharing', 'libmtl_sharing_peer.py', 'LibMTL'],
  ['mmpareto', 'mmpareto_peer.py', 'MMPareto_ICML2024'],
  ['fairgrad', 'official_peer.py', 'fairgrad'],
  ['sdmgrad', 'official_peer.py', 'sdmgrad'],
  ['epo', 'preference_peer.py', 'EPOSearch'],
  ['pmgda', 'preference_peer.py', 'libmoon'],
  ['ferero', 'preference_peer.py', 'FERERO'],
  ['pcd', 'preference_peer.py', 'priority-constrained-descent'],
  ['go4align', 'go4align_peer.py', 'GO4Align'],
  ['raco', 'raco_peer.py', 'RACO'],
  ['sound', 'sound_peer.py'],
  // No other library: balancing methods in float64, from their equations.
  ...readdirSync(join(import.meta.dirname, '../../tests/peers/balancing'))
    .filter((file) => file.endsWith('.json'))
    .map((file) => [`balancing/${file.slice(0, -'.json'.length)}`, 'balancing/peer.py']),
];
// Their iterations end at 1e-4 and worse; on another processor they end elsewhere.
const tolerance = 1e-3;

let differences = 0;
for (const [name, script, clone] of peers) {
  const file = join(import.meta.dirname, `../../tests/peers/${name}.json`);
  const recorded = JSON.parse(readFileSync(file, 'utf8'));
  const folders = clone === undefined ? [] : [join(environment, 'clones', clone)];
  const printed = execFileSync(
    join(environment, 'bin/python'),
    [join(import.meta.dirname, script), ...folders, file],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 600_000 },
  );
  const { cases } = JSON.parse(printed);
  if (update) {
    writeFileSync(file, `${JSON.stringify({ ...recorded, cases }, null, 2)}\n`);
    console.log(`${name}: ${cases.length} cases recorded.`);
    continue;
  }
  cases.forEach((found, at) => {
    const given = recorded.cases[at];
    const distance = farthest(found.found, given.found);
    if (distance <= tolerance) return;
    differences += 1;
    console.error(`${name}, case ${at} (${given.name ?? ''}): ${distance} from what is recorded.`);
  });
  console.log(`${name}: ${cases.length} cases as recorded (${recorded.source}).`);
}
if (differences > 0) process.exitCode = 1;

/** The greatest difference between numbers at the same place, relative to the greater of them and 1; infinite for another shape. */
function farthest(a, b) {
  if (typeof a === 'number' && typeof b === 'number') {
    return Math.abs(a - b) / Math.max(1, Math.abs(a), Math.abs(b));
  }
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') {
    return a === b ? 0 : Infinity;
  }
  const [own, other] = [Object.keys(a), Object.keys(b)];
  if (own.length !== other.length) return Infinity;
  return own.reduce((most, key) => Math.max(most, farthest(a[key], b[key])), 0);
}
