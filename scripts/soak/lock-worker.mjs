// One of the processes that race for a lock: it is sent a path, tries some times, and says what came of it.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import { nodeFiles, takeLock } from '../../packages/core/dist/files/index.js';

const tries = 3;

/** Whether a process that left a witness has been killed since. */
function ended(id) {
  try {
    const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return true;
  }
}

/** Leaves a witness that this process holds the lock; false where another one does. */
function witness(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const other = Number(readFileSync(path, 'utf8'));
    if (!ended(other)) return false;
    writeFileSync(path, String(process.pid));
    return true;
  }
}

process.on('message', async (path) => {
  const outcome = { got: 0, refused: 0, twice: 0, errors: [] };
  for (let attempt = 0; attempt < tries; attempt += 1) {
    try {
      const lock = await takeLock(nodeFiles, path, new Date());
      if (lock.holder !== null) {
        outcome.refused += 1;
        continue;
      }
      outcome.got += 1;
      if (witness(`${path}.witness`)) {
        for (let turn = 0; turn < attempt * 3; turn += 1) await setImmediate();
        if (readFileSync(`${path}.witness`, 'utf8') !== String(process.pid)) outcome.twice += 1;
        rmSync(`${path}.witness`);
      } else {
        outcome.twice += 1;
      }
      await lock.release();
    } catch (error) {
      outcome.errors.push(`${error.code}: ${error.message.replaceAll(path, 'LOCK')}`);
    }
  }
  process.send(outcome);
});
process.on('disconnect', () => process.exit());
process.send('ready');
