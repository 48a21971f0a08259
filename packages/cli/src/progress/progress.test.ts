import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { requireExperiment } from '../experiments/index.ts';
import type { EpochRecord } from '../runs/records.ts';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { barProgress } from './bars.ts';
import { lineProgress } from './lines.ts';
import { formatScores, type Progress } from './progress.ts';

const { runs } = recordedComparison({
  strategies: ['mmpareto'],
  seeds: [1],
  epochs: 2,
  stepsPerEpoch: 10,
});
const [run] = runs;

function play(progress: Progress): void {
  progress.begin(2);
  progress.note('a note');
  progress.runBegin({
    ...{ strategy: 'mmpareto', seed: 1, epochs: 2, stepsPerEpoch: 10 },
    metrics: requireExperiment('cg-mnist').metrics,
  });
  progress.step({ step: 5, epoch: 1, losses: { multimodal: 1.25, gray: 0.5 } });
  progress.note('in between');
  progress.evaluating();
  progress.note('at the end');
  progress.epochEnd(run!.epochs[0]!);
  progress.epochEnd(run!.epochs[1]!);
  progress.runEnd(run!.result!);
  progress.end();
}

describe('formatScores', () => {
  const scored = (test: EpochRecord['test']): EpochRecord => ({ ...run!.epochs[0]!, test });

  it('shows what tables show: mean IoU of pixels, not their accuracy', () => {
    const test = {
      segmentation: { loss: 1, accuracy: 0.9, iou: 0.4567 },
      depth: { loss: 0.5, error: 0.51234, relative: 0.1 },
      normal: { loss: 0.1, within11: 0.2, angle: 23.456, median: 12 },
    };
    expect(formatScores(scored(test), requireExperiment('scenes').metrics)).toBe(
      'segmentation mean IoU 45.7 %, depth absolute error 0.512, normal mean angle 23.5 °',
    );
  });

  it('shows the loss of an objective without a metric, and says what was not measured', () => {
    const { metrics } = requireExperiment('cg-mnist');
    const test = { multimodal: { loss: 2, accuracy: 0.5 }, gray: { loss: 1 }, own: { loss: 1.25 } };
    expect(formatScores(scored(test), metrics)).toBe(
      'multimodal 50.0 %, gray accuracy –, own loss 1.25',
    );
  });
});

describe('lineProgress', () => {
  it('writes one line per epoch, plain', () => {
    const lines: string[] = [];
    play(lineProgress((line) => lines.push(line)));
    expect(lines).toEqual([
      'a note',
      '[1/2] mmpareto, seed 1: 2 epochs of 10 steps',
      'in between',
      'at the end',
      expect.stringMatching(
        /^ {2}epoch 1\/2 {2}training loss: multimodal \d\.\d{3}, gray \d\.\d{3}, color \d\.\d{3} {2}test: multimodal \d+\.\d %, .* 61 ms per step$/,
      ),
      expect.stringMatching(/^ {2}epoch 2\/2 /),
      '  finished after 20 steps in 48 s',
    ]);
  });
});

describe('barProgress', () => {
  it('hands no character of a name or a reason to the terminal that would steer it', () => {
    const written: string[] = [];
    const stream = Object.assign(new PassThrough(), {
      ...{ isTTY: true, columns: 120, rows: 30 },
    }) as unknown as WriteStream;
    stream.on('data', (data: Buffer) => written.push(data.toString()));
    const progress = barProgress(stream, picocolors.createColors(false), () => 0);
    const evil = '\u001b]0;taken\u0007';
    progress.begin(1);
    progress.note(`note ${evil}`);
    progress.runBegin({ strategy: evil, seed: 1, epochs: 1, stepsPerEpoch: 2, metrics: {} });
    progress.step({ step: 1, epoch: 1, losses: { [evil]: 1 } });
    progress.note(`again ${evil}`);
    progress.runEnd({ ...run!.result!, status: 'failed', error: { code: 'error', message: evil } });
    progress.end();
    expect(written.join('')).not.toContain(evil);
    expect(written.join('')).toContain('\\u001b]0;taken\\u0007, seed 1');
  });

  it('leaves a line per run and fits every line into the terminal', () => {
    const written: string[] = [];
    const columns = 80;
    const stream = Object.assign(new PassThrough(), {
      isTTY: true,
      columns,
      rows: 30,
    }) as unknown as WriteStream;
    stream.on('data', (data: Buffer) => written.push(data.toString()));
    let now = 0;
    play(barProgress(stream, picocolors.createColors(false), () => (now += 1)));
    const text = written.join('');
    expect(text).toContain('✓ mmpareto, seed 1  multimodal');
    expect(text).toContain('a note');
    expect(text).toMatch(/mmpareto, seed 1 █+░+ epoch 1\/2, step 5\/20 {2}\d+ s left/);
    expect(text).toContain('testing');
    expect(text).toContain('multimodal 1.250, gray 0.500');
    expect(text).toContain('run 1/2');
    // Each line of a bar begins with the cursor's way to the first column.
    const bars = text
      .split('\u001b[1G')
      .map((line) => stripVTControlCharacters(line).trimEnd())
      .filter((line) => /[█░]/.test(line));
    expect(bars.length).toBeGreaterThan(2);
    for (const line of bars) expect(line.length).toBeLessThan(columns);
  });
});
