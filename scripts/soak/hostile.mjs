// The part of the soak test that reads folders and files of somebody who means harm.
import { caseFigure, inShards } from './shards.mjs';

const named = 'read, or refused by name';

/** Resident memory beyond that after the first cases. */
function memoryFigure(what, { found }) {
  const most = Math.max(...found.map(({ mebibytes }) => mebibytes));
  return {
    ...{ what: `memory while reading ${what}`, found: `${most} MiB` },
    ...{ expected: 'at most 300 MiB more', holds: most <= 300 },
  };
}

/** Folders of somebody who means harm. */
async function folderFigures(given) {
  const settings = { count: 20_000, seed: 1, ...given };
  const result = await inShards('hostileFolders', settings);
  const told = Object.entries(result.counts).sort();
  console.log(`hostile: ${result.tried} folders: ${told.map((one) => one.join(' ')).join('; ')}.`);
  const found = `${result.tried} folders`;
  const expected = `${named}, nothing touched beside`;
  return [
    caseFigure('hostile folders', result, settings.count, found, expected),
    memoryFigure('them', result),
  ];
}

/** Files of somebody who means harm, in every format that is read. */
async function fileFigures(given) {
  const { files = 100_000, ...rest } = given;
  const result = await inShards('hostileFiles', { seed: 1, ...rest, count: files });
  const formats = new Set(Object.keys(result.counts).map((key) => key.split(': ')[0]));
  const figures = Array.from(formats, (format) => {
    const [read, refused] = ['read', 'refused'].map(
      (key) => result.counts[`${format}: ${key}`] ?? 0,
    );
    return {
      ...{ what: `hostile files, ${format}`, found: `${read} read, ${refused} refused` },
      // Where nothing is refused, damage is not noticed.
      ...{ expected: `${files} ${named}`, holds: read + refused === files && refused > 0 },
    };
  });
  const found = `${result.tried} of ${formats.size} formats`;
  return [
    ...figures,
    caseFigure('hostile files', result, files * formats.size, found, named),
    memoryFigure('those', result),
  ];
}

/** Folders and files of somebody who means harm; `only=folders`, or a format. */
export async function writeHostile(given) {
  const { only, ...rest } = given;
  return [
    ...(only === undefined || only === 'folders' ? await folderFigures(rest) : []),
    ...(only === 'folders'
      ? []
      : await fileFigures({ ...rest, ...(only !== 'files' && { only }) })),
  ];
}
