/** The steps of an installation, in order. */
export const nativeSteps = ['packages', 'download', 'unpack', 'compile', 'try'] as const;

/** One step of an installation of native TensorFlow. */
export type NativeStep = (typeof nativeSteps)[number];

/** The progress of an installation. */
export interface NativeProgress {
  readonly step: NativeStep;
  /** The file or package that is being worked on. */
  readonly subject: string;
  /** Share of the step that is done, 0 to 1; null where it is not known. */
  readonly share: number | null;
}

/** A function that is called whenever an installation makes progress. */
export type OnProgress = (progress: NativeProgress) => void;
