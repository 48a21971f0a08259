/**
 * Operations on vectors, coordinate by coordinate, for a strategy whose update is no weighted sum.
 *
 * An engine implements them on its own vectors (tensors on a device, arrays of numbers), so the strategy needs no tensor
 * library and nothing is read back. All vectors of one call have the same length.
 */
export interface RowAlgebra<Row> {
  /** a + b. */
  readonly add: (a: Row, b: Row) => Row;
  /** a − b. */
  readonly subtract: (a: Row, b: Row) => Row;
  /** a · b, coordinate by coordinate. */
  readonly multiply: (a: Row, b: Row) => Row;
  /** a / b, coordinate by coordinate; 0 where b is 0. */
  readonly divide: (a: Row, b: Row) => Row;
  /** factor · a. */
  readonly scale: (a: Row, factor: number) => Row;
  /** |a|, coordinate by coordinate. */
  readonly abs: (a: Row) => Row;
  /** The smaller of two coordinates. */
  readonly minimum: (a: Row, b: Row) => Row;
  /** The greater of two coordinates. */
  readonly maximum: (a: Row, b: Row) => Row;
  /** 1 where a > b, else 0. */
  readonly greater: (a: Row, b: Row) => Row;
  /** The same number at every coordinate. */
  readonly constant: (value: number) => Row;
  /**
   * Independent uniform numbers in [0, 1), multiples of 2⁻²⁴, the same for the same seed and tensor on every engine.
   *
   * @param seed - an integer that a double holds exactly
   */
  readonly uniform: (seed: number) => Row;
}

/** Computes the update of one tensor from its K gradients, by the operations given; pure, and generic in the vectors. */
export type CombineRows = <Row>(rows: readonly Row[], algebra: RowAlgebra<Row>) => Row;
