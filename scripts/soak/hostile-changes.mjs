// Ways to spoil an output folder: what a broken disk, another program or somebody who means harm leaves there.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { mutate, pick, reseal, scramble } from './damage.mjs';

const escape = '\u001b]0;taken\u0007\u001b[2J';
const deep = (depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** Values for any field of a record. */
const odd = [
  ...[null, -1, 0, 1.5, 2 ** 31, 2 ** 53, 1e308, -1e308, 1e-320, true, '', 'NaN', '__proto__'],
  ...['../../x', '/etc/passwd', escape, '\u202egnp', '<script>', '\0', 'x'.repeat(10_000)],
  ...[[], {}, [[]], { length: -1 }, Array(1000).fill(0), { constructor: 1 }, ['a', 'b'], [null]],
  JSON.parse('{"__proto__":{"loss":1},"toString":2}'),
  JSON.parse(deep(2000)),
];

/** Names of strategies: paths, code, escapes, and what is no text. */
const names = [
  ...['../../victim', '/etc/passwd', './evil.mjs', '../evil.mjs', 'file:///etc/passwd', escape],
  ...['sum:weights.x=1', 'sum:x=../evil.mjs', 'mmpareto:gamma=../evil.mjs', 'constructor'],
  ...[
    '__proto__',
    'no-such-package-here',
    '',
    ' ',
    'a'.repeat(5000),
    '\u202esum',
    7,
    null,
    ['sum'],
  ],
  ...['SUM', '..', '.', 'sum\n\u001b[31mred', 'C:\\evil.js', 'node:fs', 'data:text/javascript,1'],
];

const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();

/** The files of records, configuration and results, as paths. */
const jsonFiles = (out) =>
  filesBelow(out)
    .filter((name) => /(config|result)\.json$|\.jsonl$/.test(name))
    .map((name) => join(out, name));

const manifests = (out) =>
  filesBelow(out)
    .filter((name) => name.endsWith('checkpoint.json'))
    .map((name) => join(out, name));

/** Changes one record of a file, or its one object. */
function changeJson(path, change, random) {
  const text = readFileSync(path, 'utf8');
  if (path.endsWith('.json')) {
    writeFileSync(path, JSON.stringify(change(JSON.parse(text))));
    return;
  }
  const lines = text.split('\n').slice(0, -1);
  if (lines.length === 0) return;
  const at = random.integer(lines.length);
  lines[at] = JSON.stringify(change(JSON.parse(lines[at])));
  writeFileSync(path, `${lines.join('\n')}\n`);
}

const changeConfig = (out, change) => {
  const path = join(out, 'config.json');
  writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, 'utf8')))));
};

/** Takes a random field away, at any depth. */
function without(value, random) {
  const keys = Object.keys(value);
  if (keys.length === 0) return value;
  const key = pick(keys, random);
  const copy = Array.isArray(value) ? [...value] : { ...value };
  const inner = value[key];
  if (typeof inner === 'object' && inner !== null && random.uniform() < 0.6) {
    copy[key] = without(inner, random);
  } else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete copy[key];
  return copy;
}

/**
 * The kinds of damage, each `(out, random, beside)`: an output folder, what to draw from, and a folder beside it that no
 * command may touch.
 */
export const changes = {
  'bits in records': (out, random) => {
    const path = pick(jsonFiles(out), random);
    writeFileSync(path, scramble(readFileSync(path), random));
  },
  'bits in checkpoints': (out, random) => {
    const found = filesBelow(out).filter((name) => name.includes('checkpoints'));
    const path = join(out, pick(found, random));
    writeFileSync(path, scramble(readFileSync(path), random));
  },
  truncation: (out, random) => {
    const path = join(out, pick(filesBelow(out), random));
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, random.integer(bytes.length + 1)));
  },
  'field removed': (out, random) =>
    changeJson(pick(jsonFiles(out), random), (value) => without(value, random), random),
  'odd value': (out, random) =>
    changeJson(pick(jsonFiles(out), random), (value) => mutate(value, random, odd), random),
  'several odd values': (out, random) => {
    for (let change = 0; change < 5; change += 1) {
      const shallow = (value) => (value === null || typeof value !== 'object' ? {} : value);
      const path = pick(jsonFiles(out), random);
      changeJson(path, (value) => shallow(mutate(value, random, odd)), random);
    }
  },
  'odd setting': (out, random) =>
    changeConfig(out, (config) => {
      const settings = { ...config.settings };
      settings[pick(Object.keys(settings), random)] = pick(odd, random);
      return { ...config, settings };
    }),
  'names of strategies': (out, random) =>
    changeConfig(out, (config) => ({
      ...config,
      strategies:
        random.uniform() < 0.5
          ? [pick(names, random)]
          : [...config.strategies, pick(names, random)],
    })),
  'names of objectives and groups': (out, random) => {
    const path = pick(
      jsonFiles(out).filter((name) => name.endsWith('l')),
      random,
    );
    const text = readFileSync(path, 'utf8');
    const name = String(pick(names, random));
    writeFileSync(path, text.replaceAll('"gray"', JSON.stringify(name)));
  },
  seeds: (out, random) => {
    const odds = ['0/../../../victim', -1, 1.5, 2 ** 53, null, '0', [], 1e21, 7];
    changeConfig(out, (config) => ({ ...config, seeds: [pick(odds, random)] }));
  },
  'many runs': (out, random) =>
    changeConfig(out, (config) => ({
      ...config,
      strategies: Array.from({ length: 400 }, (_, index) => `sum:weights.x=${index}`),
      seeds: Array.from({ length: pick([1, 2, 400], random) }, (_, index) => index),
    })),
  'lines of records': (out, random) => {
    const path = pick(
      jsonFiles(out).filter((name) => name.endsWith('l')),
      random,
    );
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    const [line = '{}'] = lines;
    const choices = [
      [],
      [...lines].reverse(),
      [...lines, ...lines],
      lines.slice(1),
      [deep(100_000)],
      ['null'],
      ['[]'],
      ['{}'],
      ['\u0000'.repeat(100)],
      [`\uFEFF${line}`],
      [JSON.stringify({ ...JSON.parse(line), line: 2 ** 53 - 1 })],
      [JSON.stringify({ ...JSON.parse(line), line: -5 })],
      [line.replace(/\d+\.\d+/, '1e999')],
      [line.replace(/"(\w+)":/, `"${'k'.repeat(1000)}":`)],
    ];
    writeFileSync(
      path,
      pick(choices, random)
        .map((one) => `${one}\n`)
        .join(''),
    );
  },
  'text for JSON': (out, random) => {
    const path = pick(jsonFiles(out), random);
    const texts = [
      '',
      '{',
      'null',
      '[]',
      '{}',
      '"x"',
      '\uFEFF{}',
      deep(50_000),
      escape,
      '{"format":2}',
    ];
    writeFileSync(path, pick(texts, random));
  },
  'link to elsewhere': (out, random, beside) => {
    const places = ['config.json', 'runs', 'table.csv', 'report.html', 'lock.json'];
    const all = [
      ...filesBelow(out),
      ...places,
      ...readdirSync(join(out, 'runs')).map((name) => `runs/${name}`),
    ];
    const path = join(out, pick(all, random));
    rmSync(path, { recursive: true, force: true });
    const targets = [
      beside,
      join(beside, 'kept.txt'),
      '/dev/zero',
      '/dev/null',
      path,
      'missing',
      '/proc/self/mem',
    ];
    symlinkSync(pick(targets, random), path);
  },
  'folder for a file, file for a folder': (out, random) => {
    const all = [
      ...filesBelow(out),
      'runs',
      ...readdirSync(join(out, 'runs')).map((name) => `runs/${name}`),
    ];
    const path = join(out, pick(all, random));
    const folder = existsSync(path) && statSync(path).isDirectory();
    rmSync(path, { recursive: true, force: true });
    if (folder) writeFileSync(path, 'x');
    else mkdirSync(path, { recursive: true });
  },
  'something removed': (out, random) => {
    const all = [
      ...filesBelow(out),
      'runs',
      ...readdirSync(join(out, 'runs')).map((name) => `runs/${name}`),
    ];
    rmSync(join(out, pick(all, random)), { recursive: true, force: true });
  },
  'lock of somebody': (out, random) => {
    const texts = [
      '',
      '{}',
      'null',
      '{"process":"1"}',
      '{"process":-1,"host":null}',
      escape,
      deep(1000),
    ];
    writeFileSync(join(out, 'lock.json'), pick(texts, random));
  },
  'code that is named': (out, random, beside) => {
    writeFileSync(
      join(out, 'evil.mjs'),
      `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(join(beside, 'ran.txt'))}, '');`,
    );
    const path = join(out, 'evil.mjs');
    const specifiers = [path, `file://${path}`, './out/evil.mjs', 'out/evil.mjs', `${path}:x=1`];
    changeConfig(out, (config) => ({ ...config, strategies: ['sum', pick(specifiers, random)] }));
  },
  'state in a checkpoint (sealed)': (out, random) => {
    for (const path of manifests(out)) {
      reseal(path, (manifest) => {
        const { fit } = manifest.state;
        if (random.uniform() < 0.3) return mutate(manifest, random, odd);
        const callbacks = mutate(fit.callbacks, random, odd);
        return { ...manifest, state: { ...manifest.state, fit: { ...fit, callbacks } } };
      });
    }
  },
  'lost configuration, state in a checkpoint (sealed)': (out, random) => {
    rmSync(join(out, 'config.json'));
    for (const path of manifests(out)) {
      reseal(path, (manifest) => {
        const { records } = manifest.state.fit.callbacks;
        const comparison = mutate(records.comparison, random, [...odd, ...names]);
        const callbacks = { ...manifest.state.fit.callbacks, records: { ...records, comparison } };
        const fit = { ...manifest.state.fit, callbacks };
        return { ...manifest, state: { ...manifest.state, fit } };
      });
    }
  },
  'bytes behind the end': (out, random) =>
    appendFileSync(join(out, pick(filesBelow(out), random)), Buffer.alloc(1 + random.integer(64))),
};
