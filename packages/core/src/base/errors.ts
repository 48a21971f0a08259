// Marks the class across duplicate copies of the package, where `instanceof` fails.
const marker = Symbol.for('multigrad.error');

/**
 * What went wrong, as a stable word for programs; the message is for people.
 *
 * - `invalid-option`: an option of a factory or a call is out of its range or unknown
 * - `invalid-argument`: a value handed to a function has the wrong shape, size or type
 * - `unknown-strategy`: no plugin of that name is known
 * - `incompatible-strategy`: a plugin or strategy does not follow a specification that this version understands
 * - `invalid-experiment`: an experiment lacks a field, or what it opens does not fit what it says of itself
 * - `not-requested`: a strategy read something that its `needs` did not ask for
 * - `invalid-objective`: an objective's value is no finite scalar, or its name is not known
 * - `non-finite`: a loss, a gradient or a weight is NaN or infinite
 * - `diverged`: a loss has grown far beyond what it was
 * - `unreached-variable`: no objective reaches a variable
 * - `structure-changed`: the graph's objectives or variables differ from those at build
 * - `interleaved-call`: a call began while another one on the same variables had not ended
 * - `missing-gradients`: TensorFlow.js has no gradient registered for a kernel
 * - `invalid-data`: a data file or a batch is malformed
 * - `io`: a file or folder cannot be read or written
 * - `kernel-failed`: a kernel of ours trapped, on inputs that do not fit each other or by a defect
 * - `unsupported`: the combination asked for has no defined meaning, or is not available here
 */
export type ErrorCode =
  | 'invalid-option'
  | 'invalid-argument'
  | 'unknown-strategy'
  | 'incompatible-strategy'
  | 'invalid-experiment'
  | 'not-requested'
  | 'invalid-objective'
  | 'non-finite'
  | 'diverged'
  | 'unreached-variable'
  | 'structure-changed'
  | 'interleaved-call'
  | 'missing-gradients'
  | 'invalid-data'
  | 'io'
  | 'kernel-failed'
  | 'unsupported';

/**
 * The one error class of multigrad: its message says what, where, what was found and what was expected.
 *
 * @example
 * ```ts
 * import { MultigradError } from '@multigrad/core/strategy';
 *
 * const error = new MultigradError('invalid-option', 'Option `gamma` should be a number >= 1. Found 0.5.');
 * console.log(MultigradError.isInstance(error), error.code); // true invalid-option
 * ```
 */
export class MultigradError extends Error {
  override readonly name = 'MultigradError';
  /** What went wrong, as a stable word. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Whether `value` is a MultigradError, also one from another copy of this package. */
  static isInstance(value: unknown): value is MultigradError {
    return typeof value === 'object' && value !== null && marker in value;
  }
}
