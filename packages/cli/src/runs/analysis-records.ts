/** How one objective's gradient of a part varies from batch to batch at fixed weights. */
export interface GradientSpread {
  readonly objective: string;
  /** Mean over batches of the gradient's norm. */
  readonly norm: number;
  /** Standard deviation over batches of the gradient's norm. */
  readonly normDeviation: number;
  /** Norm of the mean gradient. */
  readonly meanNorm: number;
  /** Trace of the gradients' covariance matrix over batches, with B − 1 in the denominator. */
  readonly covarianceTrace: number;
}

/** The gradients that reach one part of the network, such as an encoder. */
export interface PartGradients {
  readonly part: string;
  readonly objectives: readonly GradientSpread[];
  /** Cosine of each pair of objectives, one for each batch. */
  readonly cosines: readonly {
    readonly pair: readonly [string, string];
    readonly values: readonly number[];
  }[];
}

/** Gradients over many batches at the weights that an epoch ended with. */
export interface GradientRecord {
  readonly kind: 'gradients';
  /** Epochs finished, 0 for the initial weights. */
  readonly epoch: number;
  /** Number of batches. */
  readonly batches: number;
  readonly parts: readonly PartGradients[];
}

/** Losses on a grid in a plane through the final weights, spanned by two random directions. */
export interface LandscapeRecord {
  readonly kind: 'landscape';
  /** Training samples that losses are means over. */
  readonly samples: number;
  /** Coordinates along either direction; 1 moves each filter by its own norm. */
  readonly coordinates: readonly number[];
  /** By objective: a row for each coordinate along the second direction, an entry for each along the first. */
  readonly losses: Readonly<Record<string, readonly (readonly number[])[]>>;
}

/** One line of `analysis.jsonl`. */
export type AnalysisRecord = GradientRecord | LandscapeRecord;
