// Trains the runs of a plan one after another in a folder, each from its newest checkpoint; a line for each step.
//   node train.mjs FOLDER '{"backend":"cpu","runs":[{"name":…,"optimizer":…,"strategy":…,"epochs":…}],"everySteps":1}'
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Checkpoints,
  encodeSafetensors,
  fromTensor,
} from '../../packages/checkpoint/dist/index.js';
import { openBackend, smallRun } from './small-run.mjs';

const [folder, json] = process.argv.slice(2);
const plan = JSON.parse(json);
await openBackend(plan.backend);
for (const { name, optimizer, strategy, epochs } of plan.runs) {
  const own = join(folder, name);
  const last = join(own, 'last.safetensors');
  if (existsSync(last)) continue;
  mkdirSync(own, { recursive: true });
  const run = smallRun({ optimizer, strategy });
  const checkpoints = new Checkpoints(join(own, 'checkpoints'), {
    config: { optimizer, strategy },
    onDamaged: (message) => console.log(`damaged: ${message}`),
  });
  const restored = await checkpoints.restore(run.trainer);
  await run.trainer.fit(run.data, {
    epochs,
    resume: restored?.fit,
    callbacks: [
      { onBatchEnd: (_, { step }) => process.stdout.write(`step ${step} of ${name}\n`) },
      ...(plan.everySteps === 0 ? [] : [checkpoints.callback({ everySteps: plan.everySteps })]),
    ],
  });
  const weights = await Promise.all(
    run.weights().map(async ([key, tensor]) => [key, await fromTensor(tensor)]),
  );
  writeFileSync(`${last}.part`, encodeSafetensors(weights));
  renameSync(`${last}.part`, last);
  run.dispose();
}
