// The part of the soak test that reads folders and files of somebody who means harm.
import { hostileFiles } from './hostile-files.mjs';
import { hostileFolders } from './hostile-folders.mjs';

/** Folders and files of somebody who means harm. */
export async function writeHostile(given) {
  const usual = { count: 20_000, files: 100_000, seed: 1, ...given };
  const { count, counts, mebibytes: ofFolders } = await hostileFolders(usual);
  const told = Object.entries(counts)
    .sort()
    .map(([what, times]) => `${what} ${times}`);
  console.log(`hostile: ${count} folders, at most ${ofFolders} MiB more: ${told.join('; ')}.`);
  const { results, mebibytes: ofFiles } = await hostileFiles(usual);
  for (const [format, { count: all, read, refused }] of Object.entries(results)) {
    console.log(`hostile: ${format}: ${all} files, ${read} read, ${refused} refused by name.`);
  }
  const counted = Object.values(results).map((result) => result.count);
  const expected = 'named errors alone, nothing touched beside';
  const memory = (what, mebibytes) => ({
    ...{ what: `memory while reading ${what}`, found: `${mebibytes} MiB` },
    ...{ expected: 'at most 300 MiB more', holds: mebibytes <= 300 },
  });
  return [
    { what: 'hostile folders', found: `${count} read or named`, expected, holds: true },
    memory('them', ofFolders),
    {
      ...{
        what: 'hostile files',
        found: `${counted.length} formats, ${Math.min(...counted)} each`,
      },
      ...{ expected: 'named errors alone', holds: true },
    },
    memory('those', ofFiles),
  ];
}
