import { buildIntegration } from '@multigrad/core';
import { digitEncoder, lenet, multimodalNetwork, multiTaskNetwork } from '@multigrad/models';
import { sum } from '@multigrad/strategy-sum';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers';
import { Picture } from './svg.mjs';

// Which objectives reach which layer of a network, and the groups that the engine makes of it: read from the engine.

async function multimodal() {
  const size = { width: 2, features: 4, seed: 1 };
  const network = multimodalNetwork({
    encoders: {
      gray: digitEncoder({ name: 'gray', channels: 1, ...size }),
      color: digitEncoder({ name: 'color', channels: 3, ...size }),
    },
    classes: 10,
    seed: 1,
  });
  const batch = { gray: tf.zeros([1, 28, 28, 1]), color: tf.zeros([1, 28, 28, 3]) };
  const label = tf.tensor1d([0], 'int32');
  const forward = () => network.losses(batch, label, { training: true });
  const found = observe(network, forward, network.parts);
  tf.dispose([batch, label]);
  network.dispose();
  return found;
}

async function multiTask() {
  const size = { inputHeight: 16, inputWidth: 16, width: 2, secondWidth: 2, features: 4 };
  const network = multiTaskNetwork({
    trunk: (name) => lenet({ name, channels: 1, ...size, seed: 1 }),
    sharing: 'hard',
    tasks: {
      left: { kind: 'classification', classes: 10, hidden: 8 },
      right: { kind: 'classification', classes: 10, hidden: 8 },
    },
    seed: 1,
  });
  const image = tf.zeros([1, 16, 16, 1]);
  const label = tf.tensor1d([0], 'int32');
  const forward = () => {
    const measured = network.objectives(image, { left: label, right: label }, { training: true });
    return Object.fromEntries(Object.entries(measured).map(([name, { loss }]) => [name, loss]));
  };
  const found = observe(network, forward, {});
  tf.dispose([image, label]);
  network.dispose();
  return found;
}

function observe(network, forward, parts) {
  const { objectives, groups } = buildIntegration(sum(), [forward], network.trainableVariables, {
    parts,
  });
  return {
    objectives,
    groups: groups.map(({ key, objectives: reach, variables }) => ({
      key,
      reach,
      layers: [...new Set(variables.map((name) => name.slice(0, name.lastIndexOf('/'))))],
    })),
  };
}

const row = 21;

function draw({ objectives, groups }) {
  const height = 56 + groups.reduce((total, { layers }) => total + layers.length * row + 10, 0);
  const picture = new Picture(176 + objectives.length * 92 + 190, height);
  const column = (k) => 176 + k * 92;
  objectives.forEach((name, k) =>
    picture.text(column(k), 24, name, { anchor: 'middle', fill: 'abc'[k], weight: 600, size: 13 }),
  );
  const right = column(objectives.length - 1) + 46;
  let y = 44;
  for (const { key, reach, layers } of groups) {
    const tall = layers.length * row;
    picture.rect(2, y, right - 2, tall, { stroke: 'rule' });
    layers.forEach((layer, i) => {
      const middle = y + i * row + row / 2;
      picture.text(12, middle + 4.5, layer, { size: 13 });
      objectives.forEach((objective, k) => {
        if (reach.includes(objective)) picture.circle(column(k), middle, 5, { fill: 'abc'[k] });
      });
    });
    picture.text(right + 12, y + tall / 2 + 4.5, key, { fill: 'quiet', size: 13 });
    y += tall + 10;
  }
  return picture;
}

const say = ({ groups }) =>
  groups
    .map(
      ({ key, reach, layers }) =>
        `${key}: ${layers.length} ${layers.length === 1 ? 'layer' : 'layers'}, reached by ${reach.join(' and ')}`,
    )
    .join('; ');

export async function figures() {
  await tf.setBackend('cpu');
  const [two, one] = [await multimodal(), await multiTask()];
  return {
    'groups-multimodal': {
      title: `The layers of a network with two encoders, the objectives that reach each, and the groups that follow. ${say(two)}.`,
      draw: () => draw(two),
    },
    'groups-multi-task': {
      title: `The layers of a network with a shared trunk and two heads, the objectives that reach each, and the groups that follow. ${say(one)}.`,
      draw: () => draw(one),
    },
  };
}
