import { checkGramian } from '../algebra/check-gramian.ts';
import { MultigradError } from '../base/errors.ts';
import type { Gramian } from '../algebra/gramian.ts';
import { checkLosses } from './check-losses.ts';
import type { GroupGradients } from './strategy.ts';

/** The parts from which a strategy's view of a group is made; what is left out throws when it is read. */
export interface GroupGradientsParts {
  /** Names of the K objectives present, at least one, each once. */
  readonly objectives: readonly string[];
  /** K × K inner products of the whole group's gradients. */
  readonly gramian?: Gramian | undefined;
  /** K × K inner products of each tensor's gradients, by tensor name. */
  readonly tensorGramians?: ReadonlyMap<string, Gramian> | undefined;
  /** Inner products of the gradients of all batches and of the memory vectors: a multiple of K rows. */
  readonly stacked?: Gramian | undefined;
  /** K losses. */
  readonly losses?: Float64Array | undefined;
  /** Number of the step, from 0. @defaultValue 0 */
  readonly step?: number | undefined;
  /** Name of the strategy, for messages. */
  readonly strategy?: string | undefined;
}

/**
 * The view of one group that a strategy gets. Reading what was not asked for is an error, so a strategy cannot depend
 * by accident on what some engine happens to know.
 *
 * @throws MultigradError `invalid-argument` when the parts' sizes do not match the number of objectives or a Gramian is
 *   not valid, `non-finite` when an entry of one or a loss is not finite; a part that was left out throws
 *   `not-requested` when read
 *
 * @example
 * ```ts
 * import { gramianOf, groupGradients } from '@multigrad/core/strategy';
 *
 * const group = groupGradients({
 *   objectives: ['a', 'b'],
 *   gramian: gramianOf([
 *     [1, 0],
 *     [1, 1],
 *   ]),
 * });
 * console.log(group.gramian.values); // 1, 1, 1, 2
 * ```
 */
export function groupGradients(parts: GroupGradientsParts): GroupGradients {
  const { objectives, gramian, tensorGramians, stacked, losses, step = 0 } = parts;
  const size = objectives.length;
  if (size === 0 || new Set(objectives).size !== size) {
    throw new MultigradError(
      'invalid-argument',
      `Argument \`objectives\` should hold at least one name, each once. Found [${objectives.join(', ')}].`,
    );
  }
  if (gramian !== undefined) checkPart(gramian, size, 'The Gramian');
  for (const [name, part] of tensorGramians ?? []) {
    checkPart(part, size, `The Gramian of tensor \`${name}\``);
  }
  if (stacked !== undefined) {
    checkGramian(stacked, 'The stacked Gramian');
    if (stacked.size % size !== 0) {
      throw new MultigradError(
        'invalid-argument',
        `The stacked Gramian should have a multiple of ${size} rows, one for each objective. Found ${stacked.size}.`,
      );
    }
  }
  if (losses !== undefined && losses.length !== size) {
    throw new MultigradError(
      'invalid-argument',
      `Argument \`losses\` should hold a number for each of the ${size} objectives. Found ${losses.length}.`,
    );
  }
  if (losses !== undefined) checkLosses(objectives, losses, step);
  return new View(parts, step);
}

/** A class, so that making one for every group and step costs next to nothing. */
class View implements GroupGradients {
  readonly objectives: readonly string[];
  readonly step: number;
  readonly #parts: GroupGradientsParts;

  constructor(parts: GroupGradientsParts, step: number) {
    this.objectives = parts.objectives;
    this.step = step;
    this.#parts = parts;
  }

  get gramian(): Gramian {
    return this.#parts.gramian ?? this.#refuse('gramian', "`gradients: 'gramian'`");
  }

  get tensorGramians(): ReadonlyMap<string, Gramian> {
    const { tensorGramians } = this.#parts;
    return tensorGramians ?? this.#refuse('tensorGramians', "`gradients: 'tensor-gramians'`");
  }

  get stacked(): Gramian {
    return this.#parts.stacked ?? this.#refuse('stacked', '`batches` or `memory`');
  }

  get losses(): Float64Array {
    return this.#parts.losses ?? this.#refuse('losses', "`losses: 'now'`");
  }

  #refuse(what: string, needs: string): never {
    const { strategy } = this.#parts;
    throw new MultigradError(
      'not-requested',
      `${strategy === undefined ? 'A strategy' : `Strategy \`${strategy}\``} read \`${what}\` without asking for it. ` +
        `Found no such value; its \`needs\` should say ${needs}.`,
    );
  }
}

function checkPart(gramian: Gramian, size: number, what: string): void {
  checkGramian(gramian, what);
  if (gramian.size === size) return;
  throw new MultigradError(
    'invalid-argument',
    `${what} should have one row for each of the ${size} objectives. Found ${gramian.size}.`,
  );
}
