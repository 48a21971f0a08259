import { type Tensor, Variable } from '@tensorflow/tfjs-core';
import { describeValue } from '../base/describe-value.ts';
import { MultigradError } from '../base/errors.ts';

/** A weight of a layer, as `tf.layers` makes them: `tf.LayerVariable`. */
export interface LayerWeight {
  /** The name it was made with, such as `dense_Dense1/kernel`. */
  readonly originalName: string;
  /** Its `tf.Variable`, which TensorFlow.js types as a tensor. */
  read(): Tensor;
}

/** A layer or a model, as `tf.layers` makes them: `tf.LayersModel`, `tf.Sequential`, `tf.layers.Layer`. */
export interface LayerLike {
  readonly name: string;
  /** The weights that are trained while the layer's `trainable` is as it is now. */
  readonly trainableWeights: readonly LayerWeight[];
  /** All other weights: those of frozen layers, and statistics such as moving means. */
  readonly nonTrainableWeights: readonly LayerWeight[];
}

/** A model, a layer, or a list of models, layers and weights. */
export type LayerList = LayerLike | readonly (LayerLike | LayerWeight)[];

/** The weights of models or of parts of them: a {@link LayerList}, or several by name, which their weights' names begin with. */
export type LayerSource = LayerList | Readonly<Record<string, LayerList>>;

/** The variables of models, by names that are the same in every process. */
export interface ModelVariables {
  /** The weights that layers can train, frozen ones too. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** The variables that the forward pass itself changes: the moving statistics of batch norm. */
  readonly statistics: ReadonlyMap<string, Variable>;
  /** Returns the variables whose layers are trainable at the time of the call. */
  readonly trained: () => ReadonlySet<Variable>;
}

/**
 * Finds the variables of a `tf.LayersModel`, of several models, or of parts of them.
 *
 * Names are those that the weights were made with, except that numbers which TensorFlow.js counts through a process
 * (`dense_Dense7/kernel`) are counted through the model (`dense_Dense1/kernel`). So a model has the same names in every
 * process, also when others were made before it. Where layers of one name remain, later ones get a number. A weight that
 * belongs to several layers or models comes once.
 *
 * @param source - a model, a layer, a list of them, or a record: `{ encoder, heads: [digit, age] }` puts `encoder/` and
 *   `heads/` before the names
 * @throws MultigradError `invalid-argument` for something else, and for a source without weights, such as a model whose
 *   input shape is not known yet
 *
 * @example
 * ```ts
 * import { modelVariables } from '@multigrad/core';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { layers, sequential } from '@tensorflow/tfjs-layers';
 *
 * const model = sequential({
 *   layers: [layers.dense({ units: 2, inputShape: [3] }), layers.batchNormalization({ name: 'norm' })],
 * });
 * const { variables, statistics, trained } = modelVariables(model);
 * console.log([...variables.keys()]); // dense_Dense1/kernel, dense_Dense1/bias, norm/gamma, norm/beta
 * console.log([...statistics.keys()]); // norm/moving_mean, norm/moving_variance
 * model.layers[0]!.trainable = false;
 * console.log(trained().size); // 2
 * model.dispose();
 * ```
 */
export function modelVariables(source: LayerSource): ModelVariables {
  const parts = partsOf(source);
  const variables = new Map<string, Variable>();
  const statistics = new Map<string, Variable>();
  const seen = new Set<Variable>();
  for (const [prefix, elements] of parts) {
    const changing = new Set(elements.flatMap(statisticsOf));
    const names = new WeightNames(prefix);
    for (const { weight, owner } of elements.flatMap((element) => weightsOf(element))) {
      const variable = variableOf(weight);
      if (seen.has(variable)) continue;
      seen.add(variable);
      const name = names.of(weight.originalName, owner);
      (changing.has(weight) ? statistics : variables).set(name, variable);
    }
  }
  if (variables.size === 0) throw withoutWeights(parts);
  return {
    variables,
    statistics,
    trained: () =>
      new Set(
        parts.flatMap(([, elements]) =>
          elements.flatMap((element) => trainedOf(element)).map(variableOf),
        ),
      ),
  };
}

/** Whether a value is a model, a layer, a list that begins with one, or a record of them. */
export function isLayerSource(value: unknown): value is LayerSource {
  if (isLayer(value)) return true;
  if (Array.isArray(value)) return value.some((one) => isLayer(one) || isWeight(one));
  if (typeof value !== 'object' || value === null || value instanceof Variable) return false;
  const parts: unknown[] = Object.values(value);
  return parts.length > 0 && parts.every((part) => isLayer(part) || Array.isArray(part));
}

/**
 * Returns tensors by name: those of a map, or weights and statistics of models, for functions that write or read all of them.
 *
 * @throws MultigradError `invalid-argument` as {@link modelVariables} does
 *
 * @example
 * ```ts
 * import { tensorsByName } from '@multigrad/core';
 * import '@tensorflow/tfjs-backend-cpu';
 * import { layers, sequential } from '@tensorflow/tfjs-layers';
 *
 * const model = sequential({ layers: [layers.batchNormalization({ inputShape: [2], name: 'norm' })] });
 * console.log(tensorsByName(model).size); // 4: two weights and two statistics
 * ```
 */
export function tensorsByName<Value extends Tensor>(
  given: ReadonlyMap<string, Value> | LayerSource,
): ReadonlyMap<string, Value | Variable> {
  if (!isLayerSource(given)) return given;
  const { variables, statistics } = modelVariables(given);
  return new Map([...variables, ...statistics]);
}

/** All variables of a layer or of a list of them, in order. */
export function variablesOfList(list: LayerList): readonly Variable[] {
  const elements = isLayer(list) ? [list] : list;
  return elements.flatMap((element) => weightsOf(element)).map(({ weight }) => variableOf(weight));
}

type Element = LayerLike | LayerWeight;

/** A weight with the layer that owns it; a weight of a list is known by the scope in its name. */
interface OwnedWeight {
  readonly weight: LayerWeight;
  readonly owner: unknown;
}

function partsOf(source: LayerSource): (readonly [prefix: string, readonly Element[]])[] {
  const listOf = (list: LayerList, where: string): readonly Element[] => {
    const elements = isLayer(list) ? [list] : list;
    for (const [place, element] of elements.entries()) {
      if (isLayer(element) || isWeight(element)) continue;
      throw new MultigradError(
        'invalid-argument',
        `${where} should hold layers or models of tf.layers. Found ${describeValue(element)} at place ${place}.`,
      );
    }
    return elements;
  };
  if (isLayer(source) || Array.isArray(source)) {
    return [['', listOf(source as LayerList, 'A list of layers')]];
  }
  return Object.entries(source as Readonly<Record<string, LayerList>>).map(([name, list]) => [
    `${name}/`,
    listOf(list, `Entry \`${name}\` of \`variables\``),
  ]);
}

/** A layer's weights, those of inner layers first, in an order that does not depend on what is frozen. */
function weightsOf(element: Element): readonly OwnedWeight[] {
  if (!isLayer(element)) return [{ weight: element, owner: scopeOf(element.originalName)[0] }];
  const { layers } = element as { readonly layers?: unknown };
  const inner = (Array.isArray(layers) ? layers : []).filter(isLayer).flatMap(weightsOf);
  const known = new Set(inner.map(({ weight }) => weight));
  const own = [...element.trainableWeights, ...element.nonTrainableWeights].filter(
    (weight) => !known.has(weight),
  );
  return [...inner, ...own.map((weight) => ({ weight, owner: element }))];
}

function trainedOf(element: Element): readonly LayerWeight[] {
  if (isLayer(element)) return element.trainableWeights;
  return (element as { readonly trainable?: boolean }).trainable === false ? [] : [element];
}

/**
 * The weights that a layer made as not trainable, those of layers in it too. The public list does not tell them from
 * weights of a frozen layer, so they are read from where `tf.layers` keeps them.
 */
function statisticsOf(element: Element): readonly LayerWeight[] {
  const found: LayerWeight[] = [];
  const seen = new Set<object>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    if (!isLayer(value) || seen.has(value)) return;
    seen.add(value);
    const { _nonTrainableWeights: own } = value as { readonly _nonTrainableWeights?: unknown };
    if (Array.isArray(own)) found.push(...(own as LayerWeight[]));
    Object.values(value).forEach(visit);
  };
  visit(element);
  return found;
}

/** Makes names of weights that are the same in every process, and unique. */
class WeightNames {
  readonly #prefix: string;
  /** Number of layers so far, by the automatic name without its number. */
  readonly #counts = new Map<string, number>();
  /** Automatic names with their new numbers, by the layer that owns them. */
  readonly #counted = new Map<unknown, Map<string, string>>();
  /** The layer that has each scope. */
  readonly #owners = new Map<string, unknown>();
  readonly #names = new Set<string>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  of(originalName: string, owner: unknown): string {
    const [scope, own] = scopeOf(originalName);
    const counted = scope
      .split('/')
      .map((component) => this.#count(component, owner))
      .join('/');
    const name = unique(
      `${this.#prefix}${this.#owned(counted, owner)}${counted === '' ? '' : '/'}${own}`,
      (candidate) => !this.#names.has(candidate),
    );
    this.#names.add(name);
    return name;
  }

  /** The scope, with a number where another layer has it already. */
  #owned(scope: string, owner: unknown): string {
    if (scope === '') return scope;
    const own = unique(scope, (candidate) => (this.#owners.get(candidate) ?? owner) === owner);
    this.#owners.set(own, owner);
    return own;
  }

  /** Counts an automatic name, such as `dense_Dense7` or `forward_lstm_LSTM3`, anew; leaves all others as they are. */
  #count(component: string, owner: unknown): string {
    const [, kind, className] = /^(.+_([A-Z][A-Za-z0-9]*?))\d+$/.exec(component) ?? [];
    if (kind === undefined || className === undefined) return component;
    const snakeCase = kind.slice(0, -className.length).replaceAll('_', '').toLowerCase();
    if (!snakeCase.endsWith(className.toLowerCase())) return component;
    const ofOwner = this.#counted.get(owner) ?? new Map<string, string>();
    this.#counted.set(owner, ofOwner);
    const number = (this.#counts.get(kind) ?? 0) + 1;
    const counted = ofOwner.get(component) ?? `${kind}${number}`;
    if (!ofOwner.has(component)) this.#counts.set(kind, number);
    ofOwner.set(component, counted);
    return counted;
  }
}

/** A name, or the name with the first number from 1 on for which `free` holds. */
function unique(name: string, free: (candidate: string) => boolean): string {
  if (free(name)) return name;
  for (let number = 1; ; number += 1) {
    const candidate = `${name}_${number}`;
    if (free(candidate)) return candidate;
  }
}

/** The name of a weight as its scope and its own name. */
function scopeOf(originalName: string): readonly [scope: string, own: string] {
  const end = originalName.lastIndexOf('/');
  return end < 0 ? ['', originalName] : [originalName.slice(0, end), originalName.slice(end + 1)];
}

function isLayer(value: unknown): value is LayerLike {
  return (
    typeof value === 'object' &&
    value !== null &&
    'trainableWeights' in value &&
    'nonTrainableWeights' in value
  );
}

function isWeight(value: unknown): value is LayerWeight {
  return (
    typeof value === 'object' &&
    value !== null &&
    'originalName' in value &&
    'read' in value &&
    typeof value.read === 'function'
  );
}

function variableOf(weight: LayerWeight): Variable {
  const variable: unknown = weight.read();
  if (variable instanceof Variable) return variable as Variable;
  throw new MultigradError(
    'invalid-argument',
    `Weight \`${weight.originalName}\` should be held by a tf.Variable. Found ${describeValue(variable)}.`,
  );
}

function withoutWeights(parts: readonly (readonly [string, readonly Element[]])[]): MultigradError {
  const names = parts.flatMap(([, elements]) =>
    elements.map((element) => `\`${isLayer(element) ? element.name : element.originalName}\``),
  );
  return new MultigradError(
    'invalid-argument',
    `A model whose variables are taken should have weights. Found none in ${names.length === 0 ? 'an empty list' : names.join(', ')}: ` +
      'give its first layer an `inputShape`, or call it on a tensor once.',
  );
}
