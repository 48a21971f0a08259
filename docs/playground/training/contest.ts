import {
  fusedMomentum,
  type FusedOptimizer,
  MultiObjectiveTrainer,
  type StepReport,
} from '@multigrad/core';
import { MultigradError } from '@multigrad/core/strategy';
import {
  batches,
  batchesPerEpoch,
  cgMnist,
  type CgMnist,
  type ColoredDigitBatch,
  type Mnist,
} from '@multigrad/datasets';
import { digitEncoder, multilayerPerceptron, multimodalNetwork } from '@multigrad/models';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { strategiesNamed } from '../plane/strategies.ts';
import {
  type Encoder,
  encoders,
  type NetworkName,
  type News,
  type Objective,
  objectives,
  type Settings,
  type Side,
} from './protocol.ts';

/** How large everything is; small enough for a tab. */
export interface Sizes {
  readonly batch: number;
  /** Units of the hidden layer or channels of the first convolutions of an encoder, and length of its feature vector. */
  readonly width: number;
  readonly features: number;
  /** A test after every so many steps. */
  readonly testEvery: number;
  /** Cosines at every so many steps. */
  readonly observeEvery: number;
}

/** Of the playground. */
const usualSizes: Readonly<Record<NetworkName, Sizes>> = {
  small: { batch: 32, width: 32, features: 32, testEvery: 20, observeEvery: 10 },
  convolutional: { batch: 32, width: 8, features: 64, testEvery: 25, observeEvery: 10 },
};

interface Contestant {
  readonly network: { dispose(): void };
  readonly trainer: MultiObjectiveTrainer<ColoredDigitBatch, string>;
  readonly optimizer: FusedOptimizer;
}

/**
 * Two strategies on the same data, batches and initial weights, taking turns step by step, so that whatever else the
 * machine does slows both alike.
 */
export class Contest {
  readonly #data: CgMnist;
  readonly #contestants: readonly [Contestant, Contestant];
  readonly #seed: number;
  readonly #sizes: Sizes;
  readonly #now: () => number;
  #step = 0;

  /**
   * @param now - the time in milliseconds
   * @throws MultigradError `invalid-data` for fewer digits than a batch
   */
  constructor(
    mnist: Mnist,
    settings: Settings,
    now: () => number,
    sizes: Sizes = usualSizes[settings.network],
  ) {
    const { strategies, network, seed } = settings;
    this.#data = cgMnist({ mnist, seed });
    if (this.#data.train.count < sizes.batch) {
      throw new MultigradError(
        'invalid-data',
        `The digits should fill a batch of ${sizes.batch}. Found ${this.#data.train.count}.`,
      );
    }
    this.#seed = seed;
    this.#sizes = sizes;
    this.#now = now;
    const enter = (id: string): Contestant => makeContestant(id, network, seed, sizes);
    this.#contestants = [enter(strategies[0]), enter(strategies[1])];
  }

  /** Steps that each has made. */
  get step(): number {
    return this.#step;
  }

  /** One step of each, who begins changes; now and then a test of each. */
  async round(tell: (news: News) => void): Promise<void> {
    const batch = await this.#batch();
    const order: readonly Side[] = this.#step % 2 === 0 ? [0, 1] : [1, 0];
    try {
      for (const side of order) {
        const start = this.#now();
        const report = await this.#contestants[side].trainer.trainOnBatch(batch);
        tell(this.#stepNews(side, report, this.#now() - start));
      }
    } finally {
      tf.dispose(batch);
    }
    this.#step += 1;
    if (this.#step % this.#sizes.testEvery !== 0) return;
    for (const side of order) tell(await this.#test(side));
  }

  /** The batch of this step, made anew from the seed and the number of the step. */
  async #batch(): Promise<ColoredDigitBatch> {
    const size = { batchSize: this.#sizes.batch, dropRemainder: true };
    const perEpoch = batchesPerEpoch(this.#data.train.count, size);
    const position = {
      epoch: Math.floor(this.#step / perEpoch),
      firstBatch: this.#step % perEpoch,
    };
    const rest = batches(this.#data.train, { ...size, ...position, shuffleSeed: this.#seed });
    for await (const batch of rest) return batch;
    throw new MultigradError(
      'invalid-data',
      `Expected a batch for step ${this.#step}. Found none.`,
    );
  }

  #stepNews(side: Side, report: StepReport, milliseconds: number): News {
    const { step, losses, groups, observed } = report;
    // Strategies that see cosines at every step would otherwise have denser curves.
    const shown = step % this.#sizes.observeEvery === 0;
    const shared = (name: Encoder): number =>
      groups.find(({ key }) => key.startsWith(`${name}/`) && key.includes('+'))!.cosines![0]![1]!;
    return {
      kind: 'step',
      side,
      step,
      losses: byName(objectives, (name) => losses[name]!),
      cosines: shown ? byName(encoders, shared) : null,
      // The first step looks at the graph, and compiles on some backends.
      milliseconds: observed || step === 0 ? null : milliseconds,
    };
  }

  async #test(side: Side): Promise<News> {
    const { metrics } = await this.#contestants[side].trainer.evaluate(
      batches(this.#data.test, { batchSize: 100 }),
    );
    const accuracy = (name: Objective): number => metrics[name]!['accuracy']!;
    return { kind: 'test', side, step: this.#step, accuracies: byName(objectives, accuracy) };
  }

  /** Frees both networks. */
  dispose(): void {
    for (const { network, trainer, optimizer } of this.#contestants) {
      trainer.dispose();
      optimizer.dispose();
      network.dispose();
    }
  }
}

function makeContestant(
  id: string,
  kind: NetworkName,
  seed: number,
  { width, features, observeEvery }: Sizes,
): Contestant {
  const encoder = (name: Encoder, channels: number): LayersModel =>
    kind === 'small'
      ? multilayerPerceptron({ name, shape: [28, 28, channels], hidden: [width], features, seed })
      : digitEncoder({ name, channels, width, features, seed });
  const network = multimodalNetwork({
    encoders: { gray: encoder('gray', 1), color: encoder('color', 3) },
    classes: 10,
    seed,
  });
  const optimizer = fusedMomentum(network.trainableVariables, {
    learningRate: 0.01,
    momentum: 0.9,
  });
  const trainer = new MultiObjectiveTrainer({
    objectives: (batch: ColoredDigitBatch, mode) => network.objectives(batch, batch.label, mode),
    variables: network.trainableVariables,
    parts: network.parts,
    strategy: strategiesNamed([id])[0]!.make(),
    optimizer,
    observe: { every: observeEvery },
  });
  return { network, trainer, optimizer };
}

const byName = <Name extends string, Value>(
  names: readonly Name[],
  value: (name: Name) => Value,
): Record<Name, Value> =>
  Object.fromEntries(names.map((name) => [name, value(name)])) as Record<Name, Value>;
