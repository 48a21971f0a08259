// An experiment of multigrad: one label learnt from two modalities, an image and a sound. Both are made up, in this file.
//
//   npx multigrad compare {{path}}       five strategies, three seeds each, and a report
//   npx multigrad compare {{path}} --help          all settings
//   npx multigrad train {{path}} --strategy mmpareto --out runs/first
//
// For your own data change what is marked 1 to 3. {{docs}}/your-data.md has more.
import { randomState, resumeRandom } from '@multigrad/core/strategy';
import { classesFrom, dataSets, numbersFrom } from '@multigrad/datasets';
import { accuracy, defineExperiment, opened } from '@multigrad/experiment';
import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';

export const experiment = defineExperiment({
  name: '{{name}}',
  title: 'Patterns seen and heard',
  summary:
    'Four made-up patterns, each as an image of stripes and as a tone. Both lie under noise.',

  // 1. The objectives: both modalities together, then each by itself, under the names of the inputs.
  objectives: ['multimodal', 'image', 'sound'],
  // What a user wants in the end. `joint` trains on it alone.
  baseline: 'multimodal',
  metrics: { accuracy },

  // Settings become options of every command: --noise 2.
  settings: {
    noise: { kind: 'number', minimum: 0, default: 1.5, description: 'Noise of the sound.' },
  },
  presets: {
    quick: {
      summary: 'a first look, in about a minute',
      seeds: 3,
      settings: { epochs: 15, 'batch-size': 32, lr: 0.01 },
    },
  },

  // Called once for each run. The same seed makes the same network.
  open({ noise }, seed) {
    // 2. The data: an array of the samples of each modality, and their labels.
    const random = resumeRandom(randomState(0, 'patterns'));
    const samples = Array.from({ length: 1200 }, (_, i) => {
      const pattern = i % 4;
      const start = random.uniform();
      // 8 x 8 pixels with one channel: stripes down, across, and along both diagonals, under noise.
      const image = Array.from({ length: 8 }, (_row, y) =>
        Array.from({ length: 8 }, (_column, x) => {
          const along = [x, y, x + y, x - y][pattern] ?? 0;
          return [Math.sin(Math.PI * (along / 2 + 2 * start)) + 1.5 * random.normal()];
        }),
      );
      // 32 numbers: a tone of 2 to 5 waves.
      const sound = Array.from(
        { length: 32 },
        (_time, t) =>
          Math.sin(2 * Math.PI * (((pattern + 2) * t) / 32 + start)) + noise * random.normal(),
      );
      return { image, sound, pattern: ['down', 'across', 'rising', 'falling'][pattern] ?? null };
    });
    const { train, validation, test, shapes, tasks } = dataSets({
      inputs: {
        image: numbersFrom(samples.map((sample) => sample.image)),
        sound: numbersFrom(samples.map((sample) => sample.sound)),
      },
      targets: { label: classesFrom(samples.map((sample) => sample.pattern)) },
      // Mean 0 and deviation 1, measured on the training part alone.
      standardize: ['image', 'sound'],
      validation: 0.15,
      test: 0.15,
      seed: 0, // of the split: all runs are tested on the same samples
    });

    // 3. The network: an encoder for each modality; fusion and heads are added.
    const network = multimodalNetwork({
      encoders: {
        image: multilayerPerceptron({
          name: 'image',
          shape: shapes.image,
          hidden: [64],
          features: 32,
          seed,
        }),
        sound: multilayerPerceptron({
          name: 'sound',
          shape: shapes.sound,
          hidden: [64],
          features: 32,
          seed,
        }),
      },
      classes: tasks.label.classes,
      seed,
    });

    return opened({
      network,
      data: { train, validation, test },
      // Each of them is also set to zero in testing, to see what the other one does alone.
      modalities: ['image', 'sound'],
      objectives: (batch, context) => network.objectives(batch, batch.label, context),
      // For --contribution zero: what each modality contributes to the joint prediction.
      predict: (batch) => network.forward(batch, { training: false }).multimodal,
    });
  },
});
