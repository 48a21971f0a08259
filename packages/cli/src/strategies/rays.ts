import { createRegistry, MultigradError, own, type StrategyPlugin } from '@multigrad/core/strategy';
import type { Experiment } from '@multigrad/experiment';
import { builtinPlugins } from './builtin.ts';
import { experimentPlugins, findPlugins } from './catalog.ts';

/** A direction in the space of the losses: where a run is to end, one number > 0 for each objective, of the length 1. */
export type Ray = Readonly<Record<string, number>>;

/**
 * Rays spread over the losses of two or three objectives. None lies on an axis, where a loss would have to be zero.
 *
 * Two objectives: angles with the first axis of `(i + ½) · 90° / n`. Three: the points `(i + ½, j + ½, k + ½)` with
 * `i + j + k = H`, a lattice of the simplex with `(H + 1)(H + 2) / 2` points.
 *
 * @throws MultigradError `unsupported` for another number of objectives; `invalid-option` for a number of rays that no
 * lattice has
 */
export function spreadRays(objectives: readonly string[], count: number): Ray[] {
  if (objectives.length === 2) {
    return Array.from({ length: count }, (_, i) => {
      const angle = ((i + 0.5) / count) * (Math.PI / 2);
      return rayOf(objectives, [Math.cos(angle), Math.sin(angle)]);
    });
  }
  if (objectives.length !== 3) {
    throw new MultigradError(
      'unsupported',
      `A front needs two or three objectives. Found ${objectives.length}: ${objectives.join(', ')}.`,
    );
  }
  const divisions = divisionsFor(count);
  const exact = latticeSize(divisions);
  if (exact !== count) {
    const near = [divisions - 1, divisions, divisions + 1].filter((each) => each >= 0);
    throw new MultigradError(
      'invalid-option',
      `Option \`rays\` should be a number of points of a triangular lattice, such as ` +
        `${near.map(latticeSize).join(', ')}, as there are three objectives. Found ${count}.`,
    );
  }
  const rays: Ray[] = [];
  for (let i = divisions; i >= 0; i -= 1) {
    for (let j = divisions - i; j >= 0; j -= 1) {
      rays.push(rayOf(objectives, [i + 0.5, j + 0.5, divisions - i - j + 0.5]));
    }
  }
  return rays;
}

/** The divisions of the lattice whose number of points is nearest. */
function divisionsFor(count: number): number {
  return Math.round((Math.sqrt(8 * count + 1) - 3) / 2);
}

function latticeSize(divisions: number): number {
  return ((divisions + 1) * (divisions + 2)) / 2;
}

function rayOf(objectives: readonly string[], values: readonly number[]): Ray {
  return rayAlong(Object.fromEntries(objectives.map((name, k) => [name, values[k]!])));
}

/** The ray of a direction of any length. */
export function rayAlong(direction: Readonly<Record<string, number>>): Ray {
  const length = Math.hypot(...Object.values(direction));
  return Object.fromEntries(
    Object.entries(direction).map(([name, value]) => [name, value / length]),
  );
}

/** Whether some rays are those that {@link spreadRays} spreads, in its order. */
export function areSpread(objectives: readonly string[], rays: readonly Ray[]): boolean {
  if (objectives.length !== 2 && objectives.length !== 3) return false;
  if (objectives.length === 3 && latticeSize(divisionsFor(rays.length)) !== rays.length) {
    return false;
  }
  return spreadRays(objectives, rays.length).every((ray, at) =>
    objectives.every((name) => Math.abs(own(ray, name)! - (own(rays[at]!, name) ?? 0)) < 1e-12),
  );
}

/** The strategies that take a preference, and how they read it. */
function preferenceOf({ options }: StrategyPlugin): readonly [string, 'counts' | 'ray'] | null {
  for (const [name, spec] of Object.entries(options)) {
    if (spec.kind === 'weights' && spec.preference !== undefined) return [name, spec.preference];
  }
  return null;
}

/**
 * A strategy's specifiers, one for each ray: a strategy that reads its preference as a ray is given the ray itself, one to which
 * a greater preference means that an objective counts more is given its reciprocals. Both add up to 1.
 *
 * @param specifier - as the user wrote it, without a preference
 * @throws MultigradError `invalid-option` for a strategy without a preference, naming those with one, or where it is given
 */
export async function raySpecifiers(
  experiment: Experiment,
  specifier: string,
  rays: readonly Ray[],
  folder: string,
): Promise<string[]> {
  const known = experimentPlugins(experiment);
  const [found] = await findPlugins(known, [specifier], folder);
  const { plugin, options } = found!;
  const preference = preferenceOf(plugin);
  if (preference === null) {
    const able = createRegistry(builtinPlugins)
      .list()
      .filter((one) => preferenceOf(one) !== null)
      .map(({ name }) => name);
    throw new MultigradError(
      'invalid-option',
      `\`${plugin.name}\` takes no preference among objectives, so it has no front to draw. Strategies that do: ${able.join(', ')}.`,
    );
  }
  const [name, reading] = preference;
  const given = Object.keys(options).find((key) => key === name || key.startsWith(`${name}.`));
  if (given !== undefined) {
    throw new MultigradError(
      'invalid-option',
      `\`front\` gives \`${plugin.name}\` its preferences, so that its option \`${given}\` should be left out.`,
    );
  }
  return rays.map((ray) => {
    const weights = Object.entries(ray).map(
      ([objective, value]) => [objective, reading === 'ray' ? value : 1 / value] as const,
    );
    const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
    const written = weights.map(
      ([objective, weight]) => `${name}.${objective}=${Number((weight / total).toPrecision(6))}`,
    );
    return `${specifier}${specifier.includes(':') ? ',' : ':'}${written.join(',')}`;
  });
}
