import { MultigradError, type OptionsOf, own, resolveOptions } from '@multigrad/core/strategy';
import type { BalancingMethod } from '../contract/method.ts';
import { type BalancingPlugin, defineBalancing } from '../contract/plugin.ts';
import { entry, record } from '../support/by-name.ts';

const msesOptions = {
  /** Epochs without a better validation loss after which a modality stops, an integer >= 1. @defaultValue 3 */
  patience: {
    kind: 'number',
    default: 3,
    minimum: 1,
    integer: true,
    description:
      'Epochs without a better validation loss after which a modality stops, an integer >= 1.',
  },
  /** How much lower a loss has to be to count as better, >= 0. @defaultValue 0 */
  minDelta: {
    kind: 'number',
    default: 0,
    minimum: 0,
    description: 'How much lower a loss has to be to count as better, >= 0.',
  },
} as const;

/** Options of {@link mses}. */
export interface MsesOptions extends OptionsOf<typeof msesOptions> {}

/** How a modality does under {@link mses}. */
export type MsesModality = {
  /** Its lowest validation loss so far; null before the first epoch has ended. */
  readonly best: number | null;
  /** Epochs since. */
  readonly waited: number;
  readonly stopped: boolean;
};

/** What {@link mses} remembers, by modality. */
export type MsesState = Readonly<Record<string, MsesModality>>;

/**
 * Modality-specific early stopping: a modality that begins to overfit stops to train, while the others and the fusion go on.
 *
 * At the end of each epoch the validation loss of each modality's own head is compared with its lowest so far. Where it has not
 * been lower by more than `minDelta` for `patience` epochs, the modality's encoder and head get no update from then on: no
 * gradient, no momentum, no weight decay.
 *
 * @throws MultigradError `invalid-option`; at the end of an epoch `invalid-data` where a modality has no validation loss
 *
 * @example
 * ```ts
 * import { mses } from '@multigrad/balancing';
 *
 * const method = mses({ patience: 1 });
 * let state = method.init({ modalities: ['a', 'b'], objectives: ['joint', 'a', 'b'], classes: 2 });
 * state = { ...state, a: { best: 0.5, waited: 1, stopped: true } };
 * const { parts } = method.modulate!({ step: 0, losses: {}, readings: {}, tensors: {}, signals: {} }, state);
 * console.log(parts); // { a: null, 'head/a': null }
 * ```
 *
 * @see Fujimori, Endo, Kawai and Mochizuki, "Modality-Specific Learning Rate Control for Multimodal Classification", ACPR 2019
 * (https://openreview.net/forum?id=On2HBy27Y5a)
 */
export function mses(options: MsesOptions = {}): BalancingMethod<MsesState> {
  const { patience, minDelta } = resolveOptions('mses', msesOptions, options);
  return {
    specification: 1,
    name: 'mses',
    needs: { validation: true },
    init: ({ modalities }) => record(modalities, () => ({ best: null, waited: 0, stopped: false })),
    modulate: (_, state) => ({
      parts: Object.fromEntries(
        Object.entries(state).flatMap(([modality, { stopped }]) =>
          stopped ? [[modality, null] as const, [`head/${modality}`, null] as const] : [],
        ),
      ),
      state,
    }),
    afterEpoch: ({ validationLosses = {} }, state) =>
      record(Object.keys(state), (modality) => {
        const before = entry(state, modality);
        if (before.stopped) return before;
        const loss = own(validationLosses, modality);
        if (loss === undefined || !Number.isFinite(loss)) {
          throw new MultigradError(
            'invalid-data',
            `\`mses\` needs a finite validation loss of \`${modality}\` at the end of each epoch. Found ${loss}.`,
          );
        }
        if (before.best === null || loss < before.best - minDelta) {
          return { best: loss, waited: 0, stopped: false };
        }
        const waited = before.waited + 1;
        return { best: before.best, waited, stopped: waited >= patience };
      }),
  };
}

/** The plugin of {@link mses}. */
export const plugin: BalancingPlugin<MsesOptions> = defineBalancing({
  specification: 1,
  name: 'mses',
  title: 'MSES',
  summary:
    'Stops the modalities one by one as they begin to overfit; the others and the fusion go on.',
  paper: {
    title: 'Modality-Specific Learning Rate Control for Multimodal Classification',
    authors: ['Naotsuna Fujimori', 'Rei Endo', 'Yoshihiko Kawai', 'Takahiro Mochizuki'],
    venue: 'ACPR',
    year: 2019,
    url: 'https://openreview.net/forum?id=On2HBy27Y5a',
  },
  formula:
    'η_m ← 0 once V_m has not fallen for some epochs, V_m the validation loss of modality m’s own head',
  use: 'When one modality overfits long before the others have learnt, and there are validation data.',
  serves: 'any network with a head on each modality and validation data',
  deviations: [
    'It follows what the publication says in public: heads of their own, overfitting detected in each modality, each stopped by itself. The full text and code were not read. Patience and the least difference are those of early stopping in general, and this package’s defaults.',
    'A stopped modality keeps the weights that it has then; those of its best epoch are not restored.',
  ],
  options: msesOptions,
  create: mses,
});
