import { MultigradError } from '../base/errors.ts';
import { own } from '../base/own.ts';
import type { Logs } from './callbacks.ts';
import type { Measured } from './measurements.ts';

/** The name of a number in an epoch's logs, and what the number is, for messages. */
export interface NamedLog {
  readonly name: string;
  readonly of: string;
  readonly value: number;
}

/** The logs of measured losses and metrics, without the weighted sum of the losses. */
export function logsOf({ losses, metrics }: Measured, prefix: '' | 'val_'): NamedLog[] {
  const where = prefix === '' ? '' : ' over the validation data';
  return [
    ...Object.entries(losses).map(([name, loss]) => ({
      name: `${prefix}${name}_loss`,
      of: `the loss of objective \`${name}\`${where}`,
      value: loss!,
    })),
    ...Object.entries(metrics).flatMap(([name, ofOne]) =>
      Object.entries(ofOne!).map(([metric, value]) => ({
        name: `${prefix}${name}_${metric}`,
        of: `metric \`${metric}\` of objective \`${name}\`${where}`,
        value,
      })),
    ),
  ];
}

/** The names of logs in use; each may stand for one number only. */
export class LogNames {
  readonly #taken = new Map<string, string>();
  readonly #validates: boolean;

  /** @param validates - whether there are logs over validation data too */
  constructor(validates: boolean) {
    this.#validates = validates;
    this.#take({ name: 'loss', of: 'the weighted sum of all losses' });
    if (!validates) return;
    this.#take({ name: 'val_loss', of: 'the weighted sum of all losses over the validation data' });
  }

  /**
   * Takes the names that a step's numbers will have at the end of its epoch.
   *
   * @throws MultigradError `invalid-objective` where another number has one of these names
   */
  see(measured: Measured): void {
    for (const log of logsOf(measured, '')) this.#take(log);
    if (this.#validates) for (const log of logsOf(measured, 'val_')) this.#take(log);
  }

  #take({ name, of }: Pick<NamedLog, 'name' | 'of'>): void {
    const other = this.#taken.get(name) ?? of;
    if (other !== of) {
      throw new MultigradError(
        'invalid-objective',
        `Every number of an epoch should have a log of its own. Found \`${name}\` for ${other} and for ${of}: rename one of them.`,
      );
    }
    this.#taken.set(name, of);
  }
}

/**
 * The logs of an epoch with those that a callback has measured.
 *
 * @throws MultigradError `invalid-objective` where another number has one of these names
 */
export function withMeasured(logs: Logs, measured: Logs | null | undefined): Logs {
  const further = measured ?? {};
  const taken = Object.keys(further).find((name) => Object.hasOwn(logs, name));
  if (taken === undefined) return { ...logs, ...further };
  throw new MultigradError(
    'invalid-objective',
    `Every number of an epoch should have a log of its own. Found \`${taken}\` from the \`onMeasure\` of a callback, where ` +
      'another number has that name.',
  );
}

/** The logs of an epoch, by name; `loss` is the sum of all losses, each times its weight. */
export function epochLogs(
  measured: Measured,
  lossWeights: Readonly<Partial<Record<string, number>>>,
  prefix: '' | 'val_' = '',
): Logs {
  const losses = Object.entries(measured.losses);
  // Where every step was skipped the sum is NaN, not 0: there is no loss.
  const total = losses.reduce(
    (sum, [name, loss]) => sum + (own(lossWeights, name) ?? 1) * loss!,
    losses.length === 0 ? NaN : 0,
  );
  return Object.fromEntries([
    [`${prefix}loss`, total],
    ...logsOf(measured, prefix).map(({ name, value }) => [name, value] as const),
  ]);
}
