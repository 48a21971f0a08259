import { trainableVariables } from '@multigrad/test-support';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { dataRandom, type Program } from './program.ts';

/** A pole on a cart: position, speed, angle, angular speed. */
type Cart = readonly [number, number, number, number];

function push([position, speed, angle, turn]: Cart, direction: -1 | 1): Cart {
  const step = 0.02;
  const force = 10 * direction;
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const common = (force + 0.05 * turn * turn * sine) / 1.1;
  const turning = (9.8 * sine - cosine * common) / (0.5 * (4 / 3 - (0.1 * cosine * cosine) / 1.1));
  const acceleration = common - (0.05 * turning * cosine) / 1.1;
  return [
    position + step * speed,
    speed + step * acceleration,
    angle + step * turn,
    turn + step * turning,
  ];
}

const fallen = ([position, , angle]: Cart): boolean =>
  Math.abs(position) > 2.4 || Math.abs(angle) > 0.2;

/** Policy gradients: each action's gradient, weighted by the rewards that came after it. */
const cartPole: Program = {
  name: 'cart pole by policy gradients',
  run: () => {
    const policy = tfl.sequential({
      layers: [
        tfl.layers.dense({ inputShape: [4], units: 6, activation: 'elu' }),
        tfl.layers.dense({ units: 1 }),
      ],
    });
    const variables = trainableVariables(policy);
    const optimizer: tf.Optimizer = tf.train.adam(0.05);
    const losses: number[] = [];
    for (let round = 0; round < 2; round += 1) {
      const gradients: Record<string, tf.Tensor>[] = [];
      const rewards: number[][] = [];
      for (let game = 0; game < 2; game += 1) {
        let cart: Cart = [Math.random() - 0.5, 0, 0.1 * (Math.random() - 0.5), 0];
        const lived: number[] = [];
        for (let step = 0; step < 12 && !fallen(cart); step += 1) {
          let action = 0;
          const { value, grads } = tf.variableGrads(() => {
            const logit = policy.apply(tf.tensor2d([[...cart]])) as tf.Tensor2D;
            const left = tf.sigmoid(logit).dataSync()[0]!;
            action = Math.random() < left ? 1 : 0;
            return tf.losses.sigmoidCrossEntropy(tf.tensor2d([[action]]), logit);
          }, variables);
          losses.push(value.dataSync()[0]!);
          value.dispose();
          gradients.push(grads as Record<string, tf.Tensor>);
          cart = push(cart, action === 1 ? -1 : 1);
          lived.push(fallen(cart) ? 0 : 1);
        }
        rewards.push(lived);
      }
      const returns = rewards.flatMap(discounted);
      const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length;
      const deviation = Math.sqrt(
        returns.reduce((sum, value) => sum + (value - mean) ** 2, 0) / returns.length,
      );
      const scaled = tf.tidy(() =>
        Object.fromEntries(
          variables.map(({ name }) => [
            name,
            tf.mean(
              tf.stack(
                gradients.map((each, k) =>
                  tf.mul(each[name]!, (returns[k]! - mean) / (deviation + 1e-6)),
                ),
              ),
              0,
            ),
          ]),
        ),
      );
      optimizer.applyGradients(scaled);
      tf.dispose([scaled, gradients]);
    }
    policy.dispose();
    optimizer.dispose();
    return Promise.resolve(losses);
  },
};

/** Each step's reward and those after it, less by 5 % with each step. */
function discounted(rewards: readonly number[]): number[] {
  const returns: number[] = [];
  rewards.reduceRight((later, reward) => {
    returns.unshift(reward + 0.95 * later);
    return returns[0]!;
  }, 0);
  return returns;
}

const [boardSide, actions] = [6, 3];

/** Values of actions for pictures of a board. */
function valueNetwork(): tfl.LayersModel {
  return tfl.sequential({
    layers: [
      tfl.layers.conv2d({
        inputShape: [boardSide, boardSide, 2],
        filters: 6,
        kernelSize: 3,
        activation: 'relu',
      }),
      tfl.layers.batchNormalization(),
      tfl.layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu' }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 12, activation: 'relu' }),
      tfl.layers.dropout({ rate: 0.25 }),
      tfl.layers.dense({ units: actions }),
    ],
  });
}

/** Deep Q-learning from a memory of moves, with a second network that follows. */
const snake: Program = {
  name: 'snake by deep Q-learning',
  run: () => {
    const random = dataRandom('snake');
    const board = (): number[][][] =>
      Array.from({ length: boardSide }, () =>
        Array.from({ length: boardSide }, () => [
          random.integer(4) === 0 ? 1 : 0,
          random.integer(9) === 0 ? 1 : 0,
        ]),
      );
    const memory = Array.from({ length: 24 }, () => ({
      state: board(),
      action: random.integer(actions),
      reward: random.integer(5) === 0 ? 10 : -0.2,
      over: random.integer(6) === 0,
      next: board(),
    }));
    const [online, target] = [valueNetwork(), valueNetwork()];
    const follow = (): void => {
      // What is trainable comes first in the list of weights.
      target.trainable = true;
      target.setWeights(online.getWeights());
      target.trainable = false;
    };
    follow();
    const variables = trainableVariables(online);
    const optimizer: tf.Optimizer = tf.train.adam(0.01);
    const losses: number[] = [];
    for (let step = 0; step < 4; step += 1) {
      const batch = Array.from({ length: 8 }, () => memory[random.integer(memory.length)]!);
      const { value, grads } = tf.variableGrads(() => {
        const states = tf.tensor4d(batch.map(({ state }) => state));
        const taken = tf.oneHot(
          tf.tensor1d(
            batch.map(({ action }) => action),
            'int32',
          ),
          actions,
        );
        const values = online.apply(states, { training: true }) as tf.Tensor2D;
        const chosen = tf.sum(tf.mul(values, taken), -1);
        const best = tf.max(
          target.predict(tf.tensor4d(batch.map(({ next }) => next))) as tf.Tensor,
          -1,
        );
        const going = tf.tensor1d(batch.map(({ over }) => (over ? 0 : 0.99)));
        const wanted = tf.add(tf.tensor1d(batch.map(({ reward }) => reward)), tf.mul(best, going));
        return tf.losses.meanSquaredError(wanted, chosen);
      }, variables);
      losses.push(value.dataSync()[0]!);
      optimizer.applyGradients(grads);
      tf.dispose([value, grads]);
      if (step === 1) follow();
    }
    online.dispose();
    target.dispose();
    optimizer.dispose();
    return Promise.resolve(losses);
  },
};

export const reinforcement: readonly Program[] = [cartPole, snake];
