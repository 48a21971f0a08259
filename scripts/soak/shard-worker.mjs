// One of the processes that share a part's cases: node shard-worker.mjs WORK SETTINGS. It sends what it found.
import process from 'node:process';
import { works } from './works.mjs';

const [work, settings] = process.argv.slice(2);
try {
  process.send({ result: await works[work](JSON.parse(settings)) });
} catch (error) {
  process.send({ error: error.stack });
}
process.disconnect();
