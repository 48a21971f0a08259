import type { TrainerSnapshot } from '@multigrad/core';
import {
  broadcastJson,
  broadcastSnapshot,
  gradientExchange,
  type MeasuredCommunicator,
  shardBatches,
} from '@multigrad/distributed';
import { own } from '@multigrad/core/strategy';
import { clone, dispose } from '@tensorflow/tfjs-core';
import type { CommunicationRecord } from '../../runs/records.ts';
import { formatCount } from '../../shared/wording.ts';
import { assertSameData } from './assert-same-data.ts';
import { assertSameRequest } from './assert-same-request.ts';
import { communicationText } from './communication-text.ts';
import type { Ranks, RunOrder } from './ranks.ts';

/** How ranks talk to each other, by the kind of their communicator. */
const names: Readonly<Record<string, string>> = { 'open-mpi': 'MPI', tcp: 'TCP' };

/** The ranks of a communicator, two or more. Rank 0 leads. */
export function communicatingRanks(communicator: MeasuredCommunicator): Ranks {
  const way = own(names, communicator.kind) ?? communicator.kind;
  return {
    rank: communicator.rank,
    leads: communicator.rank === 0,
    introduction: [`${formatCount(communicator.size, 'rank')} train together, over ${way}.`],
    check: async (config, folder) => assertSameRequest(communicator, config, folder),
    order: async (order) => broadcastJson<NonNullable<RunOrder>>(communicator, order),
    checkData: async (prepared, backend) => assertSameData(communicator, prepared, backend),
    trainerOptions: ({ statistics }) => ({
      exchange: gradientExchange(communicator),
      // Batch norm keeps statistics, and nothing else does.
      synchronise: statistics.size > 0,
    }),
    shard: (batches) => shardBatches(batches, communicator),
    evaluationSignal: () => new AbortController().signal,
    restore: async (checkpoints, trainer) => {
      const snapshot = await checkpoints.read(copyOf);
      try {
        return await broadcastSnapshot(communicator, snapshot, {
          restore: (received) => ({ step: received.state.step, fit: trainer.restore(received) }),
        });
      } finally {
        dispose([...(snapshot?.tensors.values() ?? [])]);
      }
    },
    communication: (steps, seconds) => ({
      communication: measuredBy(communicator, steps, seconds),
    }),
    summary: ({ communication }) => [communicationText(communication!)],
  };
}

/** A snapshot with tensors of its own. */
function copyOf({ state, tensors }: TrainerSnapshot): TrainerSnapshot {
  return {
    state,
    tensors: new Map(Array.from(tensors, ([name, value]) => [name, clone(value)])),
  };
}

function measuredBy(
  { size, traffic }: MeasuredCommunicator,
  steps: number,
  of: number,
): CommunicationRecord {
  const { reduceScatter, allGather, control } = traffic();
  const milliseconds = reduceScatter.time + allGather.time + control.time;
  const bytes = {
    gradients: reduceScatter.bytes,
    weights: allGather.bytes,
    control: control.bytes,
  };
  return { ranks: size, steps, bytes, seconds: milliseconds / 1000, of };
}
