import {
  assertStrategy,
  type GradientStrategy,
  type Json,
  MultigradError,
  type Needs,
  nearestName,
} from '@multigrad/core/strategy';
import { needsAt } from './inner-strategy.ts';

/** Strategies by pattern of the group's key; `default` serves the groups that no other pattern fits. */
export interface StrategiesByGroup {
  readonly default: GradientStrategy;
  readonly [pattern: string]: GradientStrategy;
}

/** State of {@link perGroup} for a group: the pattern of its strategy, and that strategy's state. */
export type PerGroupState = { readonly pattern: string; readonly inner: Json };

/**
 * A strategy of its own for each parameter group: the first pattern that fits the group's key decides, else `default`.
 *
 * `*` stands for any characters, also for none. Keys are those of the trainer's reports: with `groupBy: 'reach'` the
 * part of the network and the objectives that reach it, such as `image/joint+image` or `depth+normals`. The note in
 * each group's report begins with the name of its strategy, which shows whether a pattern fits nothing.
 *
 * Each group is shown what its own strategy needs. A strategy that sees no gradients has here one state for each of its
 * groups; loss-only strategies thus stay as they are in groups of the same objectives.
 *
 * @param strategies - any but those that keep a memory or look at several batches
 * @throws MultigradError `invalid-argument` without `default`, `incompatible-strategy` for a value that is no strategy,
 *   `unsupported` for strategies that keep a memory, look at several batches, or need losses at different times
 *
 * @example
 * ```ts
 * import { perGroup } from '@multigrad/composition';
 * import { integrateMatrix } from '@multigrad/core/strategy';
 * import { mgda } from '@multigrad/strategy-mgda';
 * import { sum } from '@multigrad/strategy-sum';
 *
 * const strategy = perGroup({ 'trunk/*': mgda(), default: sum() });
 * const jacobian = [[1, 0], [0, 1]];
 * console.log(integrateMatrix(strategy, jacobian, { key: 'trunk/a+b' }).weights); // 0.5, 0.5
 * console.log(integrateMatrix(strategy, jacobian, { key: 'neck/a+b' }).weights); // 1, 1
 * ```
 */
export function perGroup(strategies: StrategiesByGroup): GradientStrategy<PerGroupState> {
  const byPattern = new Map(Object.entries(strategies));
  if (!byPattern.has('default')) {
    throw new MultigradError(
      'invalid-argument',
      `Argument \`strategies\` should have \`default\`, for groups that no pattern fits. Found ${[...byPattern.keys()].join(', ') || 'nothing'}.`,
    );
  }
  for (const strategy of byPattern.values()) assertStrategy(strategy);
  const all = [...byPattern.values()];
  const needs = jointNeeds(all);
  const patterns = [...byPattern.keys()].filter((pattern) => pattern !== 'default');
  const patternFor = (key: string): string =>
    patterns.find((pattern) => fits(pattern, key)) ?? 'default';
  const strategyOf = ({ pattern }: PerGroupState): GradientStrategy => {
    const found = byPattern.get(pattern);
    if (found !== undefined) return found;
    throw new MultigradError(
      'structure-changed',
      `The state's group should have a strategy: its pattern is \`${pattern}\`. Found ${nearestName(pattern, byPattern.keys()) ?? [...byPattern.keys()].join(', ')}.`,
    );
  };
  return {
    specification: 1,
    name: 'per-group',
    needs,
    needsNow: (state) => needsAt(strategyOf(state), state.inner),
    init(group) {
      const pattern = patternFor(group.key);
      return { pattern, inner: byPattern.get(pattern)!.init(group) };
    },
    integrate(gradients, state) {
      const strategy = strategyOf(state);
      const integration = strategy.integrate(gradients, state.inner);
      const note =
        integration.note === undefined ? strategy.name : `${strategy.name}: ${integration.note}`;
      return { ...integration, note, state: { ...state, inner: integration.state } };
    },
    onStepEnd(losses, objectives, state) {
      const strategy = strategyOf(state);
      if (strategy.needs.losses !== 'now-and-after-step') return state;
      const inner = strategy.onStepEnd?.(losses, objectives, state.inner) ?? state.inner;
      return { ...state, inner };
    },
    onEpochEnd(losses, objectives, state) {
      const strategy = strategyOf(state);
      if (strategy.needs.losses?.endsWith('epoch-means') !== true) return state;
      const inner = strategy.onEpochEnd?.(losses, objectives, state.inner) ?? state.inner;
      return { ...state, inner };
    },
  };
}

const gradientNeeds: readonly Needs['gradients'][] = [
  // At least the Gramian: strategies that see no gradients have one state per run, and each group needs its own.
  'gramian',
  'tensor-gramians',
  'rows',
];

/** The union of what the strategies need to see. */
function jointNeeds(strategies: readonly GradientStrategy[]): Needs {
  const wanted = new Set(strategies.map(({ needs }) => needs.losses ?? 'never'));
  for (const { name, needs } of strategies) {
    if (needs.memory === undefined && (needs.batches ?? 1) === 1) continue;
    throw new MultigradError(
      'unsupported',
      `\`perGroup\` should hold strategies that look at one batch and keep no memory. Found \`${name}\`.`,
    );
  }
  const seesEpochs = wanted.has('epoch-means') || wanted.has('now-and-epoch-means');
  if (seesEpochs && wanted.has('now-and-after-step')) {
    throw new MultigradError(
      'unsupported',
      '`perGroup` should hold strategies that need losses at the same time. Found ' +
        `${strategies.map(({ name, needs }) => `\`${name}\`: ${needs.losses ?? 'never'}`).join(', ')}.`,
    );
  }
  const rank = Math.max(
    0,
    ...strategies.map(({ needs }) => gradientNeeds.indexOf(needs.gradients)),
  );
  const both = seesEpochs && wanted.has('now');
  const losses = both
    ? 'now-and-epoch-means'
    : (['now-and-epoch-means', 'epoch-means', 'now-and-after-step', 'now'] as const).find((need) =>
        wanted.has(need),
      );
  return { gradients: gradientNeeds[rank]!, ...(losses === undefined ? {} : { losses }) };
}

function fits(pattern: string, key: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(key);
}
