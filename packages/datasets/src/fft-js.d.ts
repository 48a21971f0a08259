/** The part of `fft.js` that is used here; the package brings no types. */
declare module 'fft.js' {
  export default class FFT {
    /** @param size - a power of two >= 2 */
    constructor(size: number);
    /** Real and imaginary parts in turn, `2 · size` numbers. */
    createComplexArray(): number[];
    /** Fourier transform of `size` real numbers; fills the first half of `out`. */
    realTransform(out: number[], data: ArrayLike<number>): void;
  }
}
