/** The steps of an installation, in order. */
export const nativeSteps = ['packages', 'download', 'unpack', 'compile', 'try'] as const;

/** One step of an installation of native TensorFlow. */
export type NativeStep = (typeof nativeSteps)[number];

/** Where an installation stands. */
export interface NativeProgress {
  readonly step: NativeStep;
  /** What is being worked on: a file, a package. */
  readonly subject: string;
  /** Share of the step that is done, 0 to 1; null where it cannot be told. */
  readonly share: number | null;
}

/** Takes notice of progress. */
export type OnProgress = (progress: NativeProgress) => void;
