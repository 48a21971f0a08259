import { randomState, resumeRandom } from '@multigrad/core/strategy';
import { classesFrom, dataSets, numbersFrom } from '@multigrad/datasets';
import { accuracy, defineExperiment, opened } from '@multigrad/experiment';
import { multilayerPerceptron, multimodalNetwork } from '@multigrad/models';

/** A made-up experiment on networks of some form, for balancing methods that cg-mnist does not serve or show. */
export const madeUp = (name, title, form) =>
  defineExperiment({
    name,
    title,
    summary: 'Three classes, told by two modalities under noise.',
    objectives: ['multimodal', 'gray', 'color'],
    baseline: 'multimodal',
    metrics: { accuracy },
    settings: {},
    presets: { quick: { summary: 'a few samples', seeds: 1, settings: { epochs: 1 } } },
    open(_, seed) {
      const random = resumeRandom(randomState(0, 'summed'));
      const labels = Array.from({ length: 48 }, (_one, i) => i % 3);
      const inputs = (length) =>
        numbersFrom(labels.map((label) => Array.from({ length }, () => label + random.normal())));
      const { train, validation, test, shapes, tasks } = dataSets({
        inputs: { gray: inputs(4), color: inputs(3) },
        targets: { label: classesFrom(labels.map((label) => `class ${label}`)) },
        validation: 0.125,
        test: 0.125,
        seed: 0,
      });
      const encoder = (name) =>
        multilayerPerceptron({ name, shape: shapes[name], hidden: [8], features: 4, seed });
      const network = multimodalNetwork({
        encoders: { gray: encoder('gray'), color: encoder('color') },
        ...form,
        classes: tasks.label.classes,
        seed,
      });
      return opened({
        network,
        data: { train, validation, test },
        modalities: ['gray', 'color'],
        objectives: (batch, context) => network.objectives(batch, batch.label, context),
        predict: (batch) => network.forward(batch, { training: false }).multimodal,
      });
    },
  });
