import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

// The plan of the house in CONTRIBUTING.md lists the folders of some packages in the order in which they may import each
// other. This test holds the code to that order, and refuses circles of files.

const root = join(import.meta.dirname, '..');
const plan = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');

/** The folders that the plan lists below a package, lowest first. */
function plannedFolders(name: string): string[] {
  const [, below = ''] = new RegExp(`^  ${name}/ .*\\n((?:    .*\\n)+)`, 'm').exec(plan) ?? [];
  return Array.from(below.matchAll(/^ {4}src\/([\w-]+)\/ /gm), ([, folder]) => folder!);
}

/** The files of a package's sources, without tests, each with the files of the package that it imports. */
function importsOf(name: string): Map<string, string[]> {
  const source = join(root, 'packages', name, 'src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !/(^|\/)testing\//.test(file),
  );
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(source, file), 'utf8');
      const imports = Array.from(
        text.matchAll(/(?:from|import\()\s*'(\.[^']+\.ts)'/g),
        ([, path]) => normalize(join(dirname(file), path!)),
      );
      return [file, imports];
    }),
  );
}

/** A circle of imports, as the files on it; null where there is none. */
function findCircle(imports: ReadonlyMap<string, readonly string[]>): string[] | null {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return null;
    for (const next of imports.get(file) ?? []) {
      const circle = visit(next, [...path, file]);
      if (circle !== null) return circle;
    }
    done.add(file);
    return null;
  };
  for (const file of imports.keys()) {
    const circle = visit(file, []);
    if (circle !== null) return circle;
  }
  return null;
}

it('finds a circle where there is one', () => {
  const imports = new Map([
    ['a.ts', ['b.ts']],
    ['b.ts', ['c.ts']],
    ['c.ts', ['b.ts']],
  ]);
  expect(findCircle(imports)).toEqual(['b.ts', 'c.ts', 'b.ts']);
});

describe.each(['core', 'cli'])('packages/%s/src', (name) => {
  const imports = importsOf(name);
  const folders = plannedFolders(name);
  const folderOf = (file: string): string | null =>
    file.includes('/') ? file.slice(0, file.indexOf('/')) : null;

  it('has the folders that the plan lists, and no others', () => {
    const found = new Set([...imports.keys()].map(folderOf).filter((folder) => folder !== null));
    expect([...found].sort()).toEqual([...folders].sort());
  });

  it('imports from the same folder or from one that the plan lists before it', () => {
    const against = [...imports].flatMap(([file, targets]) => {
      const own = folderOf(file);
      // Files beside the folders are entries: they may import everything.
      if (own === null) return [];
      return targets
        .filter((target) => {
          const other = folderOf(target);
          return other === null || folders.indexOf(other) > folders.indexOf(own);
        })
        .map((target) => `${file} imports ${target}`);
    });
    expect(against).toEqual([]);
  });

  it('has no circle of files', () => {
    expect(findCircle(imports)).toBeNull();
  });
});

// What several processes ask of each other stands behind one interface, whose version for a process by itself hands back
// what it is given. Code that asks whether there are several belongs into its folders.
const ranks = '(?:ranks|agreement|exchange|collective|communicator|communication)';
const asksForRanks = new RegExp(
  [
    // `ranks === undefined`, `ranks ?? …`, `ranks?.size`, `ranks ? … : …`, `ranks && …`
    `\\b${ranks}(?:\\?\\.|\\s*(?:[!=]==?|\\?\\?|&&|\\|\\|)|\\s\\?\\s)`,
    // `if (ranks)`, `!ranks`
    `if \\(${ranks}\\)|!${ranks}\\b(?!\\.)`,
  ].join('|'),
);

/** The lines of a package's sources outside of the folders of ranks that ask whether there are several. */
function questionsForRanks(name: string, folders: readonly string[]): string[] {
  const source = join(root, 'packages', name, 'src');
  return [...importsOf(name).keys()]
    .filter((file) => !folders.some((folder) => file.startsWith(`${folder}/`)))
    .flatMap((file) =>
      readFileSync(join(source, file), 'utf8')
        .split('\n')
        .flatMap((line, index) =>
          asksForRanks.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
        ),
    );
}

describe('several ranks', () => {
  it.each([
    'if (ranks !== undefined) {',
    'const { size } = ranks ?? alone;',
    'return exchange?.sumNow;',
    'if (collective) return;',
    'const own = !communicator;',
    'ranks ? many : one',
    'result.communication !== undefined',
  ])('are asked for by %s', (line) => expect(line).toMatch(asksForRanks));

  it.each(['await ranks.order(null);', 'if (!ranks.leads) return;', 'collective.sum(values)'])(
    'are not asked for by %s',
    (line) => expect(line).not.toMatch(asksForRanks),
  );

  it.each([
    ['core', ['ranks', 'sharding']],
    ['cli', ['training/ranks']],
  ])('are asked for nowhere in %s but in %j', (name, folders) => {
    expect(questionsForRanks(name, folders)).toEqual([]);
  });
});
