import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { play, reportOf } from '../testing/steps.ts';
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
  it('writes a line per epoch where there is no terminal', async () => {
    const { stream, text } = written(false);
    await play(progressBar({ stream, epochs: 2, now: () => 0 }), 0, 8);
    expect(text()).toBe(
      'epoch 1/2  loss 10.000, near_loss 0.000\nepoch 2/2  loss 9.000, near_loss 1.000\n',
    );
  });

  it('draws one line that fits, says what is left, and takes it away in the end', async () => {
    const { stream, text } = written(true);
    let time = 0;
    const now = (): number => (time += 1000);
    await play(progressBar({ stream, epochs: 3, stepsPerEpoch: 4, now }), 0, 12);
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
    const bar = progressBar({ stream, epochs: 3, stepsPerEpoch: 4, now: () => time });
    await bar.onTrainBegin!({ step: 6, epoch: 1, batch: 2 });
    for (let step = 6; step < 8; step += 1) {
      time += 1000;
      await bar.onBatchEnd!(step % 4, reportOf(step));
    }
    await bar.onEpochEnd!(1, {});
    await bar.onTrainEnd!({ epoch: [], history: {} });
    // Two steps of a second each, and four to come.
    expect(stripVTControlCharacters(text())).toMatch(/epoch 2\/3, step 4\/4 {2}4 s left/);
  });

  it('refuses options that make no sense', () => {
    const { stream } = written(false);
    expect(() => progressBar({ stream, epochs: 0, now: () => 0 })).toThrow('`epochs`');
    expect(() => progressBar({ stream, epochs: 1, stepsPerEpoch: 0.5, now: () => 0 })).toThrow(
      '`stepsPerEpoch`',
    );
  });
});
