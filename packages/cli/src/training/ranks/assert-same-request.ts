import { MultigradError } from '@multigrad/core/strategy';
import { assertAlike, type Communicator } from '@multigrad/distributed';
import type { ComparisonConfig } from '../../runs/config.ts';
import { parseRunLabel } from '../../runs/run-label.ts';
import { learningRates, numberSetting } from '../../runs/settings.ts';
import { codeFingerprint } from './code-fingerprint.ts';

/**
 * Checks that all ranks were asked for the same, and that this is one run which several ranks can train.
 *
 * @param folder - what paths of strategies are relative to
 * @throws MultigradError `unsupported` for more than one run and for balancing methods, `invalid-option` for batches too small,
 *   `structure-changed` where ranks differ
 */
export async function assertSameRequest(
  communicator: Communicator,
  { version, command, experiment, module, strategies, seeds, settings }: ComparisonConfig,
  folder: string,
): Promise<void> {
  await assertAlike(communicator, {
    version,
    code: codeFingerprint(strategies, folder),
    options: {
      experiment,
      'text of the experiment': module?.digest ?? 'built in',
      strategies,
      seeds,
      ...settings,
    },
  });
  const runs = strategies.length * seeds.length * learningRates(settings).length;
  if (command === 'analyze' || runs !== 1) {
    throw new MultigradError(
      'unsupported',
      `Several ranks train one network: use \`multigrad train\` under \`multigrad launch\` or mpirun. Found ${command === 'analyze' ? 'an analysis' : `${runs} runs`}.`,
    );
  }
  const { balance } = parseRunLabel(strategies[0]!);
  if (balance !== null) {
    throw new MultigradError(
      'unsupported',
      'Balancing methods decide by numbers of whole batches and of the training set, of which each rank sees a part: train with ' +
        `them in one process. Found \`${balance}\` among ${communicator.size} ranks.`,
    );
  }
  const batch = numberSetting(settings, 'batch-size');
  if (batch >= communicator.size) return;
  throw new MultigradError(
    'invalid-option',
    `Option \`batch-size\` should be at least the number of ranks, ${communicator.size}. Found ${batch}.`,
  );
}
