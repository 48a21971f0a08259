import { MultigradError, own } from '@multigrad/core/strategy';
import { describeValue, didYouMean, listNames } from '@multigrad/core/support';
import { cast, reshape, tensor, Tensor, type TensorLike, tidy } from '@tensorflow/tfjs-core';

/** A tensor, or numbers that become one: nested arrays, or a typed array of samples one after the other. */
export type ArrayLikeTensor = Tensor | TensorLike;

/**
 * Values of several inputs or outputs: by name, a list in their order, or the one value where there is one input or output.
 */
export type Named<Value> = Value | readonly Value[] | Readonly<Record<string, Value>>;

/** An input or an output of a model: its name and its shape, whose first side is the number of samples. */
export interface Port {
  readonly name: string;
  readonly shape: readonly (number | null)[];
  /** Whether labels are class numbers, one in the place of the last side. */
  readonly sparse?: boolean;
  /** Whether any shape will do, for losses of the user's own. */
  readonly free?: boolean;
}

/**
 * Makes tensors of what a user gives for the inputs or outputs of a model.
 *
 * @param what - `x` or `y`, for messages
 * @param ports - those that need a value
 * @param others - names that may be given too, and are left aside
 * @returns new tensors in the order of `ports`, which share data with those given; they belong to the caller
 * @throws MultigradError `invalid-data` for names and shapes that do not fit
 */
export function namedTensors(
  what: string,
  given: Named<ArrayLikeTensor>,
  ports: readonly Port[],
  others: readonly string[] = [],
): Tensor[] {
  const values = valuesOf(what, given, ports, others);
  const made: Tensor[] = [];
  try {
    for (const [place, port] of ports.entries()) {
      made.push(tensorOf(`${what}.${port.name}`, values[place]!, port));
    }
    const sizes = made.map(({ shape }) => shape[0]);
    const odd = sizes.findIndex((size) => size !== sizes[0]);
    if (odd >= 0) {
      throw new MultigradError(
        'invalid-data',
        `All arrays of \`${what}\` should have the same number of samples. Found ${sizes[0]} in \`${ports[0]!.name}\` and ${sizes[odd]} in \`${ports[odd]!.name}\`.`,
      );
    }
    return made;
  } catch (error) {
    for (const one of made) one.dispose();
    throw error;
  }
}

/** The values in the order of the ports. */
function valuesOf(
  what: string,
  given: Named<ArrayLikeTensor>,
  ports: readonly Port[],
  others: readonly string[],
): readonly ArrayLikeTensor[] {
  const names = ports.map(({ name }) => name);
  if (isRecord(given)) {
    const known = [...names, ...others];
    const unknown = Object.keys(given).find((name) => !known.includes(name));
    const missing = names.find((name) => !Object.hasOwn(given, name));
    if (unknown === undefined && missing === undefined)
      return names.map((name) => own(given, name)!);
    const kind = what.endsWith('x') ? 'inputs' : 'outputs';
    throw new MultigradError(
      'invalid-data',
      `\`${what}\` should have an array for each of the model's ${kind}: ${listNames(names)}. ` +
        (unknown === undefined
          ? `Found none for \`${missing}\`.`
          : `Found \`${unknown}\`.${didYouMean(unknown, known)}`),
    );
  }
  if (Array.isArray(given) && given.length > 0 && given.every(isWhole)) {
    const list = given as readonly ArrayLikeTensor[];
    // Plain numbers for one input or output are its samples.
    if (ports.length > 1 || given.some((one) => one instanceof Tensor)) {
      if (list.length === ports.length) return list;
      throw new MultigradError(
        'invalid-data',
        `\`${what}\` should have ${ports.length} ${ports.length === 1 ? 'array' : 'arrays'}, for ${listNames(names)}. Found a list of ${list.length}.`,
      );
    }
  }
  if (ports.length === 1) return [given as ArrayLikeTensor];
  throw new MultigradError(
    'invalid-data',
    `\`${what}\` should have an array for each of ${listNames(names)}, by name or in a list. Found ${describeValue(given)}.`,
  );
}

/** Whether an element of a list may be the array of an input or output. */
function isWhole(value: unknown): boolean {
  return value instanceof Tensor || Array.isArray(value) || ArrayBuffer.isView(value);
}

/** Whether a value holds arrays by name, and is not itself an array or a tensor. */
export function isRecord(value: unknown): value is Readonly<Record<string, ArrayLikeTensor>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !(value instanceof Tensor) &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value)
  );
}

function tensorOf(what: string, given: ArrayLikeTensor, port: Port): Tensor {
  const { sparse = false, free = false } = port;
  const sides = sparse ? [...port.shape.slice(1, -1), 1] : port.shape.slice(1);
  return tidy(() => {
    const whole = toTensor(what, given, sides);
    const { shape } = whole;
    // A side of 1 at the end may be left out, as one number for each sample usually is.
    const full = sides.at(-1) === 1 && shape.length === sides.length ? [...shape, 1] : shape;
    const fits =
      full.length === sides.length + 1 &&
      sides.every((side, axis) => side === null || side === full[axis + 1]);
    // The stock loss rounds class numbers down, which TensorFlow.js does for float32 alone.
    if (fits) return reshape(sparse ? cast(whole, 'float32') : whole, full);
    if (free) return whole.clone();
    throw new MultigradError(
      'invalid-data',
      `\`${what}\` should have the shape [${['n', ...sides.map((side) => side ?? 'any')].join(', ')}]` +
        `${sparse ? ', a class number for each sample' : ''}. Found [${shape.join(', ')}].`,
    );
  });
}

function toTensor(what: string, given: ArrayLikeTensor, sides: readonly (number | null)[]): Tensor {
  if (given instanceof Tensor) return given;
  try {
    if (!ArrayBuffer.isView(given)) return toFloat(tensor(given));
    const flat = tensor(Array.from(given as Float32Array));
    const length = sides.reduce<number>((product, side) => product * (side ?? NaN), 1);
    const count = flat.size / length;
    return Number.isInteger(count) ? reshape(flat, [count, ...(sides as number[])]) : flat;
  } catch (error) {
    throw new MultigradError(
      'invalid-data',
      `\`${what}\` should be a tensor or an array of numbers with a row for each sample. Found ${describeValue(given)}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

function toFloat(made: Tensor): Tensor {
  if (made.dtype === 'float32' || made.dtype === 'int32') return made;
  if (made.dtype === 'bool') return cast(made, 'float32');
  throw new Error(`numbers of type ${made.dtype}`);
}
