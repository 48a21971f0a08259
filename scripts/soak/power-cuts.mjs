// Cuts the power at any moment of `multigrad train`, resumes from what the disk holds then, and compares records and
// weights with those of a run that went through.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFiles } from '../../packages/core/dist/files/index.js';
import { randomState, resumeRandom } from '../../packages/core/dist/strategy.js';
import { afterPowerCut, journalFiles } from './journal-files.mjs';
import { figures, forgetHolder, newFolder, resume, train } from './small-command.mjs';

/**
 * @param lying - a file of which the disk keeps nothing of what it is told to keep
 * @returns how many runs ended with the same figures, and how many had to begin with `train` since the cut came before
 *   there was anything to resume; throws where one ends with others and does not name what is missing
 */
export async function powerCuts({ count, seed, lying = null }) {
  const root = newFolder('power-cuts');
  const random = resumeRandom(randomState(seed, 'power'));
  try {
    const whole = join(root, 'whole');
    await nodeFiles.makeFolder(whole);
    const { files, journal } = journalFiles(nodeFiles, whole);
    const { code, lines } = await train(whole, files);
    if (code !== 0) throw new Error(lines.join('\n'));
    const expected = figures(whole);
    let [begun, named] = [0, 0];
    for (let run = 0; run < count; run += 1) {
      const folder = join(root, 'cut');
      rmSync(folder, { recursive: true, force: true });
      const at = Math.floor(((run + random.uniform()) * journal.length) / count);
      // Every third disk has kept nothing that was not synced.
      const kept = run % 3 === 0 ? null : random;
      const where = `run ${run}, after ${at} of ${journal.length} operations`;
      afterPowerCut(journal, at, folder, kept, lying);
      forgetHolder(folder);
      let end = await resume(folder);
      if (end.code !== 0 && /holds no results/.test(end.lines.join('\n'))) {
        begun += 1;
        end = await train(folder);
      }
      const told = end.lines.join('\n');
      if (end.code !== 0) throw new Error(`${where}: it did not go on. ${end.code} ${told}`);
      if (/Lost: /.test(told)) named += 1;
      else if (figures(folder) !== expected) {
        throw new Error(`${where}: other figures, and no word of it. ${told}`);
      }
    }
    return { count, operations: journal.length, begun, named };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
