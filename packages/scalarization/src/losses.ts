import { MultigradError, own } from '@multigrad/core/strategy';

/**
 * @throws MultigradError `invalid-objective` for a loss <= 0, naming the objective and why it may not be; `non-finite` for
 *   one that is NaN or infinite
 */
export function assertPositive(
  losses: Float64Array,
  objectives: readonly string[],
  strategy: string,
  why: string,
): void {
  assertFinite(losses, objectives);
  objectives.forEach((name, k) => {
    const loss = losses[k]!;
    if (loss > 0) return;
    throw new MultigradError(
      'invalid-objective',
      `The loss of objective \`${name}\` should be > 0, because \`${strategy}\` ${why}. Found ${loss}.`,
    );
  });
}

/**
 * @throws MultigradError `non-finite` for a loss that is NaN or infinite: a state that takes it in would never get rid
 *   of it
 */
export function assertFinite(losses: Float64Array, objectives: readonly string[]): void {
  objectives.forEach((name, k) => {
    if (Number.isFinite(losses[k])) return;
    throw new MultigradError(
      'non-finite',
      `The loss of objective \`${name}\` should be finite. Found ${losses[k]}.`,
    );
  });
}

/** A state by objective name with the values of those present replaced. */
export function withValues<Value>(
  state: Readonly<Record<string, Value>>,
  objectives: readonly string[],
  values: ArrayLike<Value>,
): Record<string, Value> {
  return { ...state, ...Object.fromEntries(objectives.map((name, k) => [name, values[k]!])) };
}

/** The values of the objectives present, `otherwise` where the state has none. */
export function valuesOf(
  state: Readonly<Record<string, number>>,
  objectives: readonly string[],
  otherwise: number,
): Float64Array {
  return Float64Array.from(objectives, (name) => own(state, name) ?? otherwise);
}

/** `softmax(x)`, without overflow. */
export function softmax(x: Float64Array): Float64Array {
  const greatest = x.reduce((most, value) => Math.max(most, value));
  const powers = x.map((value) => Math.exp(value - greatest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}
