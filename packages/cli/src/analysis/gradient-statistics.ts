import { own } from '@multigrad/core/strategy';
import * as tf from '@tensorflow/tfjs-core';
import type { PreparedExperiment } from '../experiments/prepare.ts';
import { mean, standardDeviation } from '../shared/statistics.ts';
import type { GradientRecord, PartGradients } from '../runs/analysis-records.ts';

/** What is added up over batches for one part: rows are the objectives that reach it. */
interface Sums {
  readonly objectives: readonly string[];
  /** K × K inner products of each batch. */
  readonly gramians: number[][][];
  /** K × n, the sum of the gradients. */
  total: tf.Tensor2D;
}

/**
 * Gradients of each objective with respect to each part of a network over many batches at fixed weights: their sizes,
 * angles and covariance.
 *
 * With gradients g_1 … g_B of an objective, the trace of their covariance is `Σ_b |g_b − ḡ|² / (B − 1)`.
 *
 * A network that names no parts is one part, `network`.
 *
 * @param count - number of batches, an integer >= 2; an epoch's batches are used, so fewer where it has fewer
 */
export async function gradientStatistics(
  prepared: PreparedExperiment,
  epoch: number,
  count: number,
): Promise<GradientRecord> {
  const sums = new Map<string, Sums>();
  let batches = 0;
  try {
    for await (const batch of prepared.train(epoch)) {
      try {
        await addBatch(prepared, batch, sums);
      } finally {
        tf.dispose(batch);
      }
      batches += 1;
      if (batches === count) break;
    }
    const found = Array.from(sums, async ([part, sum]) => describe(part, sum, batches));
    return { kind: 'gradients', epoch, batches, parts: await Promise.all(found) };
  } finally {
    for (const { total } of sums.values()) total.dispose();
  }
}

async function addBatch(
  prepared: PreparedExperiment,
  batch: tf.NamedTensorMap,
  sums: Map<string, Sums>,
): Promise<void> {
  const gradients = objectiveGradients(prepared, batch);
  try {
    for (const [part, variables] of partsOf(prepared)) {
      const names = variables.map(({ name }) => name);
      const reached = [...gradients].filter(([, gradient]) =>
        names.some((name) => Object.hasOwn(gradient, name)),
      );
      if (reached.length === 0) continue;
      const rows = tf.tidy(() =>
        tf.stack(
          reached.map(([, gradient]) =>
            tf.concat(
              variables.map((variable) =>
                tf.reshape(own(gradient, variable.name) ?? tf.zerosLike(variable), [-1]),
              ),
            ),
          ),
        ),
      ) as tf.Tensor2D;
      const gramian = tf.matMul(rows, rows, false, true);
      const before = sums.get(part);
      const total = before === undefined ? rows : tf.add<tf.Tensor2D>(before.total, rows);
      if (before !== undefined) tf.dispose([before.total, rows]);
      const gramians = before?.gramians ?? [];
      sums.set(part, { objectives: reached.map(([objective]) => objective), gramians, total });
      gramians.push((await gramian.array()) as number[][]);
      gramian.dispose();
    }
  } finally {
    for (const gradient of gradients.values()) tf.dispose(gradient);
  }
}

function partsOf({
  parts,
  variables,
}: PreparedExperiment): readonly (readonly [name: string, variables: readonly tf.Variable[]])[] {
  const named = Object.entries(parts) as [string, readonly tf.Variable[]][];
  return named.length > 0 ? named : [['network', [...variables.values()]]];
}

/** The gradients of each objective with respect to the parts' variables, by variable name. */
function objectiveGradients(
  prepared: PreparedExperiment,
  batch: tf.NamedTensorMap,
): Map<string, tf.NamedTensorMap> {
  const variables = partsOf(prepared).flatMap(([, part]) => [...part]);
  const names: string[] = [];
  tf.tidy(() => {
    names.push(...Object.keys(prepared.objectives(batch, { training: true, step: 0 })));
  });
  const found = new Map<string, tf.NamedTensorMap>();
  for (const name of names) {
    const { value, grads } = tf.variableGrads(
      () => own(prepared.objectives(batch, { training: true, step: 0 }), name)!.loss as tf.Scalar,
      variables,
    );
    value.dispose();
    const reached = Object.entries<tf.Tensor | null>(grads).filter(
      ([, gradient]) => gradient !== null,
    );
    found.set(name, Object.fromEntries(reached) as tf.NamedTensorMap);
  }
  return found;
}

async function describe(
  part: string,
  { objectives, gramians, total }: Sums,
  batches: number,
): Promise<PartGradients> {
  const squares = tf.tidy(() => tf.sum(tf.square(tf.div(total, batches)), 1));
  const meanSquares = await squares.data().finally(() => squares.dispose());
  return {
    part,
    objectives: objectives.map((objective, k) => {
      const norms = gramians.map((gramian) => Math.sqrt(gramian[k]![k]!));
      const meanSquare = mean(norms.map((norm) => norm * norm));
      return {
        objective,
        norm: mean(norms),
        normDeviation: standardDeviation(norms) ?? 0,
        meanNorm: Math.sqrt(meanSquares[k]!),
        // Rounding alone can make it negative, where all batches agree.
        covarianceTrace:
          (Math.max(0, meanSquare - meanSquares[k]!) * batches) / Math.max(1, batches - 1),
      };
    }),
    cosines: objectives.flatMap((first, i) =>
      objectives.slice(i + 1).map((second, offset) => {
        const j = i + 1 + offset;
        return {
          pair: [first, second] as const,
          values: gramians.map(
            (gramian) => gramian[i]![j]! / Math.sqrt(gramian[i]![i]! * gramian[j]![j]!) || 0,
          ),
        };
      }),
    ),
  };
}
