import { MultigradError, type OptionsOf, own, resolveOptions } from '@multigrad/core/strategy';
import type { BalancingMethod } from '../contract/method.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { entry, record } from '../support/by-name.ts';

const mslrOptions = {
  /** Factors on the learning rates of encoders, by modality: `rates.audio=0.1`. @defaultValue 1 for each */
  rates: {
    kind: 'weights',
    description: 'Factors on the learning rates of encoders, by modality.',
  },
  /**
   * `keep` leaves the rates as they are; `dynamic` multiplies a modality's rate, every `history` epochs, with its accuracy on
   * validation data over the mean of the last ones. @defaultValue `'dynamic'`
   */
  mode: {
    kind: 'choice',
    choices: ['dynamic', 'keep'],
    default: 'dynamic',
    description:
      'Whether rates stay (keep), or follow each modality’s accuracy on validation data (dynamic).',
  },
  /** Epochs whose accuracies are averaged, and between two changes of the rates, an integer >= 1. @defaultValue 5 */
  history: {
    kind: 'number',
    default: 5,
    minimum: 1,
    integer: true,
    description:
      'Epochs whose accuracies are averaged, and between two changes of the rates, an integer >= 1.',
  },
} as const;

/** Options of {@link mslr}. */
export interface MslrOptions extends OptionsOf<typeof mslrOptions> {}

/** What {@link mslr} remembers. */
export type MslrState = {
  /** The factors in force on the encoders' learning rates, by modality. */
  readonly rates: Readonly<Record<string, number>>;
  /** Accuracies of the last epochs, by modality, oldest first. */
  readonly accuracies: Readonly<Record<string, readonly number[]>>;
};

/**
 * Modality-specific learning rates: every encoder has a rate of its own, which may follow how its modality does.
 *
 * Encoder m's learning rate is `f_m` times the optimizer's. `f_m` begins at the option `rates`; with `dynamic`, after every n
 * epochs, n the option `history`: `f_m ← f_m A_m / mean of its last n A_m`, A_m the accuracy of the modality's own head on
 * validation data. Heads and fusion keep the optimizer's rate.
 *
 * The factor acts on the optimizer's change, so that it is one on the learning rate for any optimizer.
 *
 * @throws MultigradError `invalid-option`; before training where `rates` names something that is no modality; at the end of an
 * epoch `invalid-data` where a modality has no accuracy on validation data
 *
 * @example
 * ```ts
 * import { mslr } from '@multigrad/balancing';
 *
 * const method = mslr({ rates: { text: 0.02 }, mode: 'keep' });
 * const state = method.init({ modalities: ['image', 'text'], objectives: ['joint', 'image', 'text'], classes: 2 });
 * const { parts } = method.modulate!({ step: 0, losses: {}, readings: {}, tensors: {}, signals: {} }, state);
 * console.log(parts); // { image: { rate: 1 }, text: { rate: 0.02 } }
 * ```
 *
 * @see Yao and Mihalcea, "Modality-specific Learning Rates for Effective Multimodal Additive Late-fusion", Findings of ACL 2022
 * (https://aclanthology.org/2022.findings-acl.143)
 */
export function mslr(options: MslrOptions = {}): BalancingMethod<MslrState> {
  const { rates, mode, history } = resolveOptions('mslr', mslrOptions, options);
  const even = Object.values(rates ?? {}).every((rate) => rate === 1);
  return {
    specification: 1,
    name: 'mslr',
    needs: mode === 'dynamic' ? { validation: true } : {},
    firstEpoch: even ? history : 0,
    unsupported: () =>
      mode === 'keep' && even
        ? 'with `mode` keep and no `rates` it changes nothing: give a modality’s rate, as `rates.audio=0.3`, or `mode=dynamic`'
        : null,
    init: ({ modalities }) => {
      const unknown = Object.keys(rates ?? {}).find((name) => !modalities.includes(name));
      if (unknown !== undefined) {
        throw new MultigradError(
          'invalid-option',
          `Option \`rates\` of \`mslr\` should name modalities: ${modalities.join(', ')}. Found \`${unknown}\`.`,
        );
      }
      return {
        rates: record(modalities, (name) => own(rates ?? {}, name) ?? 1),
        accuracies: record(modalities, () => []),
      };
    },
    modulate: (_, state) => ({
      parts: record(Object.keys(state.rates), (name) => ({ rate: entry(state.rates, name) })),
      state,
    }),
    afterEpoch: ({ epoch, validationMetrics }, state) => {
      if (mode === 'keep') return state;
      const names = Object.keys(state.rates);
      const accuracies = record(names, (name) => {
        const measured = own<Readonly<Record<string, number>>>(validationMetrics ?? {}, name);
        const accuracy = measured === undefined ? undefined : own(measured, 'accuracy');
        if (accuracy === undefined || !Number.isFinite(accuracy)) {
          throw new MultigradError(
            'invalid-data',
            `\`mslr\` needs the accuracy of \`${name}\` on validation data. Found ${accuracy}.`,
          );
        }
        return [...entry(state.accuracies, name), accuracy].slice(-history);
      });
      if ((epoch + 1) % history !== 0) return { ...state, accuracies };
      return {
        accuracies,
        rates: record(names, (name) => {
          const known = entry(accuracies, name);
          const mean = known.reduce((sum, one) => sum + one, 0) / known.length;
          // Where nothing was right so far, there is nothing to compare with.
          return entry(state.rates, name) * (mean > 0 ? known.at(-1)! / mean : 1);
        }),
      };
    },
  };
}

/** The plugin of {@link mslr}. */
export const plugin: BalancingPlugin<MslrOptions> = defineBalancing({
  specification: 1,
  name: 'mslr',
  title: 'MSLR',
  summary: 'Gives every encoder a learning rate of its own, which follows how its modality does.',
  paper: {
    title: 'Modality-specific Learning Rates for Effective Multimodal Additive Late-fusion',
    authors: ['Yiqun Yao', 'Rada Mihalcea'],
    venue: 'Findings of ACL',
    year: 2022,
    url: 'https://aclanthology.org/2022.findings-acl.143',
  },
  formula:
    'η_m = f_m η; after every n epochs f_m ← f_m A_m / mean(last n A_m), A_m the validation accuracy of modality m',
  use: 'When the best learning rate differs much by modality, such as text beside images.',
  serves: 'any network; with mode=dynamic, validation data',
  deviations: [
    'The paper begins with encoders that were fine-tuned alone, each with its best rate; here the option `rates` says how far a modality’s rate is from the optimizer’s.',
    'Of the paper’s three ways to set rates, `keep` and `dynamic` are here. `smooth` is not: we found neither its equation nor code of it to compare with.',
    'The rule of `dynamic` was tested against the formula above, not against the authors’ code.',
    'Each modality is judged by its own head, which the joint network trains beside the others.',
  ],
  options: mslrOptions,
  create: mslr,
});
