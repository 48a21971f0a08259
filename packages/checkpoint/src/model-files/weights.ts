import { type LayerSource, tensorsByName } from '@multigrad/core';
import { MultigradError, nearestName, own } from '@multigrad/core/strategy';
import { type Tensor, tensor, tidy, type Variable } from '@tensorflow/tfjs-core';
import {
  decodeSafetensors,
  encodeSafetensors,
  type RawTensor,
  rawTensor,
  toFloat32,
} from '../safetensors/index.ts';
import { fromTorch, type TorchLayout, torchShapeOf, toTorch } from './layouts.ts';
import { torchLayout, torchName } from './torch-names.ts';

/** The names and axes in a file of weights. */
export interface WeightsConvention {
  /**
   * - `tensorflow`: the names and axes of the variables
   * - `torch`: those of PyTorch's modules: {@link torchName}, {@link TorchLayout}
   *
   * @defaultValue `'tensorflow'`
   */
  readonly convention?: 'tensorflow' | 'torch';
  /** Names of variables in the file, where they differ from the convention's: by variable, or a function of its name. */
  readonly names?: Readonly<Record<string, string>> | ((name: string) => string);
  /** How PyTorch stores variables, where their names do not tell. */
  readonly layouts?: Readonly<Record<string, TorchLayout>>;
}

/** Options of {@link exportWeights}. */
export interface ExportWeightsOptions extends WeightsConvention {
  /** Texts that are stored in the file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Options of {@link importWeights}. */
export interface ImportWeightsOptions extends WeightsConvention {
  /**
   * Whether a tensor of the file may be left aside, by its name there. PyTorch's `num_batches_tracked` always may: it
   * counts steps that the moving statistics do not depend on. @defaultValue none may
   */
  readonly ignore?: (name: string) => boolean;
  /** Name of the file in messages. @defaultValue `'The file of weights'` */
  readonly file?: string;
}

interface Place {
  readonly name: string;
  /** The variable's name in the file. */
  readonly stored: string;
  /** Null where the file has the variable's own axes. */
  readonly layout: TorchLayout | null;
}

function placeOf(name: string, options: WeightsConvention): Place {
  const { convention = 'tensorflow', names = {}, layouts = {} } = options;
  const torch = convention === 'torch';
  const given = typeof names === 'function' ? names(name) : own(names, name);
  const layout = torch ? (own(layouts, name) ?? torchLayout(name)) : null;
  return { name, stored: given ?? (torch ? torchName(name) : name), layout };
}

/** Refuses names in the options that no variable has: such a mistake would change nothing, silently. */
function checkNamesExist(
  variables: ReadonlyMap<string, unknown>,
  options: WeightsConvention,
): void {
  const { names = {}, layouts = {} } = options;
  const spoken = { names: typeof names === 'function' ? {} : names, layouts };
  for (const [option, record] of Object.entries(spoken)) {
    for (const name of Object.keys(record)) {
      if (variables.has(name)) continue;
      const near = nearestName(name, [...variables.keys()]);
      throw new MultigradError(
        'invalid-option',
        `Option \`${option}\` should speak of variables of the network. Found \`${name}\`.` +
          (near === undefined ? '' : ` Did you mean \`${near}\`?`),
      );
    }
  }
}

const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

/**
 * Writes variables, or any tensors by name, as a safetensors file: float32, and int32 where a variable is.
 *
 * @param given - by name, such as a network's `namedVariables`, or a model of `tf.layers` with its statistics; they stay
 *   the caller's
 * @returns the file's bytes
 * @throws MultigradError `unsupported` for other types, and for weights of recurrent layers in PyTorch's convention;
 *   `invalid-argument` where two variables get one name; `invalid-option`
 *
 * @example
 * ```ts
 * import { exportWeights, importWeights } from '@multigrad/checkpoint/model-files';
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-backend-cpu';
 *
 * const kernel = tf.variable(tf.tensor2d([[1, 2, 3], [4, 5, 6]]));
 * const file = await exportWeights(new Map([['dense/kernel', kernel]]), { convention: 'torch' });
 * kernel.assign(tf.zeros([2, 3]));
 * importWeights(file, new Map([['dense/kernel', kernel]]), { convention: 'torch' });
 * console.log(kernel.dataSync()); // 1, 2, 3, 4, 5, 6
 * ```
 */
export async function exportWeights(
  given: ReadonlyMap<string, Tensor> | LayerSource,
  options: ExportWeightsOptions = {},
): Promise<Uint8Array> {
  const variables = tensorsByName(given);
  checkNamesExist(variables, options);
  const tensors: [string, RawTensor][] = [];
  for (const [name, variable] of variables) {
    const { stored, layout } = placeOf(name, options);
    const { dtype, shape } = variable;
    const values = await variable.data();
    if (dtype === 'float32') {
      const own = values as Float32Array;
      const torch = layout === null ? own : toTorch(own, layout, shape);
      const storedShape = layout === null ? shape : torchShapeOf(name, layout, shape);
      tensors.push([stored, rawTensor('F32', storedShape, torch)]);
    } else if (dtype === 'int32') {
      tensors.push([stored, rawTensor('I32', shape, values)]);
    } else {
      throw new MultigradError(
        'unsupported',
        `Variable \`${name}\` should be float32 or int32. Found ${dtype}.`,
      );
    }
  }
  return encodeSafetensors(tensors, options.metadata);
}

/**
 * Puts the values of a safetensors file into variables, all of them or none.
 *
 * Every variable must be in the file, every tensor of the file must have its variable or be ignored, and shapes must
 * agree; what does not is listed in one message. Float types of 16, 32 and 64 bits are read.
 *
 * @remarks
 * Layers have constants that no file of weights holds: PyTorch's batch norm adds 1e-5 to the variance, that of
 * TensorFlow.js 1e-3 unless told otherwise.
 *
 * @param file - the bytes of the file, {@link exportWeights} or PyTorch's `safetensors.torch.save_file`
 * @param given - by name, such as a network's `namedVariables`, or a model of `tf.layers` with its statistics
 * @throws MultigradError `invalid-data` where the file is no safetensors file or does not fit, `non-finite` where it
 *   holds NaN or infinities, `unsupported` for weights of recurrent layers of PyTorch, `invalid-option`; the variables are
 *   then as before
 */
export function importWeights(
  file: Uint8Array,
  given: ReadonlyMap<string, Variable> | LayerSource,
  options: ImportWeightsOptions = {},
): void {
  const variables = tensorsByName(given);
  const { ignore = () => false, file: called = 'The file of weights', convention } = options;
  checkNamesExist(variables, options);
  const { tensors } = decodeSafetensors(file, { name: called });
  const problems: string[] = [];
  const taken = new Set<string>();
  const found: { variable: Variable; raw: RawTensor; place: Place }[] = [];
  for (const [name, variable] of variables) {
    const place = placeOf(name, options);
    const { stored, layout } = place;
    const raw = tensors.get(stored);
    const as = stored === name ? '' : ` (\`${stored}\` in the file)`;
    if (raw === undefined) {
      const near = nearestName(stored, [...tensors.keys()]);
      problems.push(`missing: \`${name}\`${as}${near === undefined ? '' : `; it has \`${near}\``}`);
      continue;
    }
    if (taken.has(stored)) problems.push(`asked for twice: \`${stored}\``);
    taken.add(stored);
    const shape = layout === null ? variable.shape : torchShapeOf(name, layout, variable.shape);
    if (!sameShape(raw.shape, shape)) {
      problems.push(
        `\`${name}\`${as}: expected [${shape.join(', ')}], found [${raw.shape.join(', ')}]`,
      );
    }
    const type = variable.dtype === 'int32' ? /^I32$/ : /^(F16|BF16|F32|F64)$/;
    if (!type.test(raw.dtype)) {
      problems.push(`\`${name}\`${as}: expected ${variable.dtype}, found ${raw.dtype}`);
    }
    found.push({ variable, raw, place });
  }
  for (const stored of tensors.keys()) {
    const counter = convention === 'torch' && /(^|\.)num_batches_tracked$/.test(stored);
    if (!taken.has(stored) && !counter && !ignore(stored))
      problems.push(`unexpected: \`${stored}\``);
  }
  if (problems.length > 0) {
    throw new MultigradError(
      'invalid-data',
      `${called} does not fit the network:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    );
  }
  // Every value is looked at before the first is assigned.
  const values = found.map((one) => valuesOf(one.raw, one.variable, one.place, called));
  found.forEach(({ variable }, k) => {
    tidy(() => variable.assign(tensor(values[k]!, variable.shape, variable.dtype as 'float32')));
  });
}

function valuesOf(
  raw: RawTensor,
  { shape, dtype }: Variable,
  { name, layout }: Place,
  called: string,
): Float32Array | Int32Array {
  if (dtype === 'int32') {
    const { bytes } = raw;
    return new Int32Array(bytes.slice().buffer);
  }
  const values = toFloat32(raw);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) {
    throw new MultigradError(
      'non-finite',
      `${called} should hold finite float32 numbers. Found ${values[wrong]!} in \`${name}\` at ${wrong}.`,
    );
  }
  return layout === null ? values : fromTorch(values, layout, shape);
}
