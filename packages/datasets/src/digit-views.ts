/** The six views and how many numbers each has. */
export const viewLengths = { fou: 76, fac: 216, kar: 64, pix: 240, zer: 47, mor: 6 } as const;

/** A view of {@link MultiFeatureDigits}. */
export type DigitView = keyof typeof viewLengths;

/** The names of the six views: Fourier coefficients, profile correlations, Karhunen-Loève coefficients, pixel averages, Zernike moments, morphological features. */
export const digitViews: readonly DigitView[] = Object.keys(viewLengths) as DigitView[];
