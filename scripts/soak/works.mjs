// What several processes can share, by name: each takes `from`, `count`, `workers` and `shard` beside its own settings,
// and returns what it tried and what failed.
import { commandFaults } from './command-faults.mjs';
import { hostileFiles } from './hostile-files.mjs';
import { hostileFolders } from './hostile-folders.mjs';
import { libraryFaults } from './library-faults.mjs';
import { powerCuts } from './power-cuts.mjs';
import { signals } from './signals.mjs';

export const works = {
  commandFaults,
  hostileFiles,
  hostileFolders,
  libraryFaults,
  powerCuts,
  signals,
};
