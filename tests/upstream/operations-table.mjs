import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isOfGradient, isSwitchedOff } from './compare.mjs';
import { mistaken } from './mistaken.mjs';

const require = createRequire(import.meta.url);

/** What a page says of operations: which work, and which have gradients, by how many of upstream's tests pass with our kernels. */
export function operationsTable(core, columns) {
  const operationOf = namesOfOperations(core);
  const operations = new Map();
  for (const [column, outcomes] of columns) {
    for (const [key, { status, suite }] of outcomes) {
      const name = operationOf(key, suite);
      if (name === null || isSwitchedOff(status) || mistaken.has(key)) continue;
      const counts = count(operations, name, column, isOfGradient(key) ? 'gradient' : 'value');
      counts.tests += 1;
      if (status === 'passed') counts.passed += 1;
    }
  }
  return write(
    [...columns.keys()],
    [...operations].sort(([a], [b]) => a.localeCompare(b, 'en')),
  );
}

/** Of a test's key and the suite that it stands in: the function of TensorFlow.js that it is about, or null. */
function namesOfOperations(core) {
  const tf = require(join(core, 'index'));
  const functionsOf = (owner, prefix) =>
    Object.keys(owner)
      .filter((name) => typeof owner[name] === 'function')
      .map((name) => [name.toLowerCase(), `${prefix}${name}`]);
  const groups = ['image', 'losses', 'linalg', 'spectral', 'signal', 'sparse', 'string'];
  const known = new Map([
    ...groups.flatMap((group) => functionsOf(tf[group], `${group}.`)),
    ...functionsOf(tf, ''),
  ]);
  const fused = new Map(functionsOf(tf.fused, 'fused.'));
  const find = (words, among = known) => among.get(words.replaceAll(/[ _]/g, '').toLowerCase());
  return (key, suite) => {
    const file = /^ops\/(?:\w+\/)?(\w+)_test: /.exec(key)?.[1];
    if (file === undefined) return null;
    const title = suite.replace(/ upstream.*$/, '').replace(/ gradients?$|Backprop$/, '');
    if (title.startsWith('fused ')) return find(title.slice(6), fused) ?? null;
    return find(title) ?? find(title.replace(/ ?[1-6][dD]$/, '')) ?? find(file) ?? null;
  };
}

function count(operations, name, column, kind) {
  if (!operations.has(name)) operations.set(name, new Map());
  const cells = operations.get(name);
  if (!cells.has(column)) {
    const none = () => ({ tests: 0, passed: 0 });
    cells.set(column, { value: none(), gradient: none() });
  }
  return cells.get(column)[kind];
}

function write(columns, operations) {
  const all = ({ tests, passed }) => tests === passed;
  const cellsOf = (cells) => columns.map((column) => cells.get(column));
  const works = operations.filter(([, cells]) =>
    cellsOf(cells).every(({ value, gradient }) => all(value) && all(gradient)),
  );
  const isDifferentiated = ([, cells]) => cellsOf(cells).some(({ gradient }) => gradient.tests > 0);
  const list = (entries) => entries.map(([name]) => `\`${name}\``).join(', ');
  const others = operations.filter((entry) => !works.includes(entry));
  const cell = ({ tests, passed }) => {
    if (tests === 0) return '';
    if (passed === tests) return 'yes';
    return passed === 0 ? 'no' : `${passed} of ${tests}`;
  };
  return [
    `On ${columns.join(', ')} alike all tests pass of these, gradients among them:\n\n${list(works.filter(isDifferentiated))}.`,
    `And of these, which no test differentiates:\n\n${list(works.filter((entry) => !isDifferentiated(entry)))}.`,
    'Of the others so many tests pass, of values and of gradients (∂):\n',
    [
      `| operation | ${columns.flatMap((name) => [name, `∂ ${name}`]).join(' | ')} |`,
      `| --- | ${columns.flatMap(() => ['---', '---']).join(' | ')} |`,
      ...others.map(
        ([name, cells]) =>
          `| \`${name}\` | ${cellsOf(cells)
            .flatMap(({ value, gradient }) => [cell(value), cell(gradient)])
            .join(' | ')} |`,
      ),
    ].join('\n'),
  ].join('\n\n');
}
