import * as tf from '@tensorflow/tfjs-core';
import { record } from '../support/by-name.ts';

/** What the forward passes of a step leave for `modulate`: small tensors, until they are read. */
export class Readings {
  #step = -1;
  #noted: Readonly<Record<string, tf.Tensor>>[] = [];

  /** Keeps the readings of a pass; those of an earlier step that was not made are freed. */
  note(step: number, readings: Readonly<Record<string, tf.Tensor>>): void {
    if (step !== this.#step) this.dispose();
    this.#step = step;
    const kept = Object.entries(readings).map(([name, one]) => [name, tf.keep(tf.clone(one))]);
    this.#noted.push(Object.fromEntries(kept) as Record<string, tf.Tensor>);
  }

  /** The means of a step's readings over its passes; nothing where it left none. */
  async take(step: number): Promise<Record<string, Float64Array>> {
    const noted = step === this.#step ? this.#noted : [];
    const read = await Promise.all(
      noted.map(async (ofPass) =>
        Promise.all(
          Object.entries(ofPass).map(async ([name, one]) => [name, await one.data()] as const),
        ),
      ),
    );
    this.dispose();
    const names = new Set(read.flat().map(([name]) => name));
    return record([...names], (name) => {
      const ofName = read.flat().filter(([other]) => other === name);
      return Float64Array.from(ofName[0]![1], (_, i) =>
        ofName.reduce((sum, [, values]) => sum + values[i]! / ofName.length, 0),
      );
    });
  }

  /** Frees what is kept. */
  dispose(): void {
    tf.dispose(this.#noted.flatMap((one) => Object.values(one)));
    this.#noted = [];
  }
}
