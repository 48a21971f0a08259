/** Attributes of `MomentumUpdate`, without the weights of the rows. */
export interface MomentumAttributes {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly nesterov: boolean;
}

/** Attributes of `AdamUpdate`, without the weights of the rows. */
export interface AdamAttributes {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly decoupledDecay: number;
  readonly correction1: number;
  readonly correction2: number;
}
