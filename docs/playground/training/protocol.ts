// What the page and its worker say to each other.

/** The objectives of the network. */
export const objectives = ['multimodal', 'gray', 'color'] as const;
export type Objective = (typeof objectives)[number];

/** Its encoders; each is reached by the multimodal objective and by the one of its own name. */
export const encoders = ['gray', 'color'] as const;
export type Encoder = (typeof encoders)[number];

/** Which of the two contestants. */
export type Side = 0 | 1;

/** The networks: two dense layers in each encoder, which train within seconds, or convolutions. */
export const networks = ['small', 'convolutional'] as const;
export type NetworkName = (typeof networks)[number];

/** What can compute. */
export const backends = ['wasm', 'webgpu'] as const;

/** Seeds are the integers from 0 below this. */
export const seeds = 4;

/** What is trained. */
export interface Settings {
  /** Ids of the strategies. */
  readonly strategies: readonly [string, string];
  readonly network: NetworkName;
  /** Seed of colours, order and initial weights: the same for both. */
  readonly seed: number;
  readonly backend: (typeof backends)[number];
}

/** Training ends by itself after so many steps. */
export const lastStep = 1500;

/** From the page to the worker. */
export type Command =
  | {
      readonly kind: 'start';
      readonly settings: Settings;
      readonly digits: string;
      /** Pauses after so many steps. */
      readonly until: number;
    }
  | { readonly kind: 'pause' }
  | { readonly kind: 'go on' };

/** One training step of one contestant. */
export interface StepNews {
  readonly kind: 'step';
  readonly side: Side;
  readonly step: number;
  readonly losses: Readonly<Record<Objective, number>>;
  /** Cosine between the two gradients that meet in each encoder; null at steps at which they were not measured. */
  readonly cosines: Readonly<Record<Encoder, number>> | null;
  /** Null at steps that measured more than the strategy needs, or were the first. */
  readonly milliseconds: number | null;
}

/** What one contestant knows of digits that it has not seen, whose colours mislead. */
export interface TestNews {
  readonly kind: 'test';
  readonly side: Side;
  /** Steps made before. */
  readonly step: number;
  readonly accuracies: Readonly<Record<Objective, number>>;
}

/** From the worker to the page. */
export type News =
  | StepNews
  | TestNews
  | { readonly kind: 'ready'; readonly backend: string }
  | {
      readonly kind: 'paused';
      /** Steps that both have made. */
      readonly step: number;
    }
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly message: string };
