// Cuts the power at any moment of `multigrad train`, resumes from what the disk holds then, and compares records and
// weights with those of a run that went through.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFiles } from '../../packages/core/dist/files/index.js';
import { randomState, resumeRandom } from '../../packages/core/dist/strategy.js';
import { tryCases } from './cases.mjs';
import { afterPowerCut, journalFiles } from './journal-files.mjs';
import { newFolder } from './scratch.mjs';
import { figures, forgetHolder, resume, train } from './small-command.mjs';

/**
 * Cuts the power in the runs `from` to `from + count - 1` of `of`, which are spread over all operations.
 *
 * @param lying - a file of which the disk keeps nothing of what it is told to keep
 * @returns how many runs were tried; `begun`: those that began with `train`, since the cut came before there was anything
 *   to resume; `named`: those that said what is missing; and which ended with other figures and did not say so
 */
export async function powerCuts({ seed, lying = null, of, ...range }) {
  const root = newFolder('power-cuts');
  try {
    const whole = join(root, 'whole');
    await nodeFiles.makeFolder(whole);
    const { files, journal } = journalFiles(nodeFiles, whole);
    const { code, lines } = await train(whole, files);
    if (code !== 0) throw new Error(lines.join('\n'));
    const expected = figures(whole);
    const counts = { begun: 0, named: 0 };
    const found = await tryCases('power', range, async (run) => {
      const random = resumeRandom(randomState(seed, 'power', run));
      const folder = join(root, 'cut');
      rmSync(folder, { recursive: true, force: true });
      const at = Math.floor(((run + random.uniform()) * journal.length) / of);
      // Every third disk has kept nothing that was not synced.
      const kept = run % 3 === 0 ? null : random;
      const where = `after ${at} of ${journal.length} operations`;
      afterPowerCut(journal, at, folder, kept, lying);
      forgetHolder(folder);
      let end = await resume(folder);
      if (end.code !== 0 && /holds no results/.test(end.lines.join('\n'))) {
        counts.begun += 1;
        end = await train(folder);
      }
      const told = end.lines.join('\n');
      if (end.code !== 0) throw new Error(`${where}: it did not go on. ${end.code} ${told}`);
      if (/Lost: /.test(told)) counts.named += 1;
      else if (figures(folder) !== expected) {
        throw new Error(`${where}: other figures, and no word of it. ${told}`);
      }
    });
    return { operations: journal.length, counts, ...found };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
