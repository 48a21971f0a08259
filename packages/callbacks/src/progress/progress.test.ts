import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers';
import { MultiObjectiveTrainer } from '@multigrad/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { play, reportOf, startAt } from '../testing/steps.ts';
import { formatDuration } from './duration.ts';
import { progressBar } from './progress-bar.ts';

describe('formatDuration', () => {
  it.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [59.6, '1 min 00 s'],
    [125, '2 min 05 s'],
    [3599.9, '1 h 00 min'],
    [7440, '2 h 04 min'],
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

function written(tty: boolean): { stream: PassThrough & { isTTY: boolean }; text: () => string } {
  const chunks: string[] = [];
  const stream = Object.assign(new PassThrough(), { isTTY: tty, columns: 80, rows: 30 });
  stream.on('data', (data: Buffer) => chunks.push(data.toString()));
  return { stream, text: () => chunks.join('') };
}

describe('progressBar', () => {
  const weight = tf.variable(tf.scalar(1));

  it('writes a line per epoch where there is no terminal', async () => {
    const { stream, text } = written(false);
    await play(progressBar({ stream, now: () => 0 }), 0, 8);
    expect(text()).toBe(
      'epoch 1/2  loss 10.000, near_loss 0.000\nepoch 2/2  loss 9.000, near_loss 1.000\n',
    );
  });

  it('draws one line that fits, says what is left, and takes it away in the end', async () => {
    const { stream, text } = written(true);
    let time = 0;
    const now = (): number => (time += 1000);
    await play(progressBar({ stream, stepsPerEpoch: 4, now }), 0, 12);
    const drawn = text()
      .split('\u001b[1G')
      .map((line) => stripVTControlCharacters(line).trimEnd())
      .filter((line) => /[█░]/.test(line));
    expect(drawn.length).toBeGreaterThanOrEqual(3);
    for (const line of drawn) expect(line.length).toBeLessThan(80);
    expect(text()).toContain('epoch 3/3  loss 8.000');
    expect(text()).toMatch(/█+░+ epoch 2\/3, step \d\/4 {2}\d+ s left/);
    // The cursor is shown again and the bar's line cleared.
    expect(text().lastIndexOf('\u001b[?25h')).toBeGreaterThan(text().lastIndexOf('\u001b[?25l'));
  });

  it('goes on in the midst of an epoch, counting the time since then alone', async () => {
    const { stream, text } = written(true);
    let time = 0;
    const bar = progressBar({ stream, stepsPerEpoch: 4, now: () => time });
    await bar.onTrainBegin!(startAt(6, 1, 2));
    for (let step = 6; step < 8; step += 1) {
      time += 1000;
      await bar.onBatchEnd!(step % 4, reportOf(step));
    }
    await bar.onEpochEnd!(1, {});
    bar.release!();
    // Two steps of a second each, and four to come.
    expect(stripVTControlCharacters(text())).toMatch(/epoch 2\/3, step 4\/4 {2}4 s left/);
  });

  it('needs nothing but `fit`, whose epochs it shows, and gives the cursor back where training fails', async () => {
    const { stream, text } = written(true);
    const trainer = new MultiObjectiveTrainer<null, 'a'>({
      objectives: (_, { step }) => {
        if (step === 3) throw new Error('no more data');
        return { a: tf.square(weight) };
      },
      variables: [weight],
      strategy: {
        specification: 1,
        name: 'one',
        needs: { gradients: 'none' },
        init: () => null,
        integrate: (_, state) => ({ weights: Float64Array.of(1), state }),
      },
      optimizer: () => undefined,
    });
    const write = vi
      .spyOn(process.stdout, 'write')
      .mockImplementation((chunk) => stream.write(chunk));
    try {
      await trainer.fit([null, null], { epochs: 1, callbacks: [progressBar()] });
      const failing = trainer.fit([null, null], {
        epochs: 4,
        callbacks: [progressBar({ stream })],
      });
      await expect(failing).rejects.toThrow('no more data');
    } finally {
      write.mockRestore();
      trainer.dispose();
    }
    expect(text()).toContain('epoch 1/1  loss 1.000');
    expect(stripVTControlCharacters(text())).toContain('epoch 1/4');
    expect(text().lastIndexOf('\u001b[?25h')).toBeGreaterThan(text().lastIndexOf('\u001b[?25l'));
  });

  it('refuses options that make no sense', () => {
    const { stream } = written(false);
    expect(() => progressBar({ stream, stepsPerEpoch: 0.5 })).toThrow('`stepsPerEpoch`');
  });
});
