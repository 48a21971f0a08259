import { describe, expect, it } from 'vitest';
import { summarize } from '../results/summary.ts';
import { recordedFront } from '../testing/recorded-front.ts';
import { resultLines } from './outputs.ts';

describe('resultLines', () => {
  it.each([
    [['gray', 'color'], true],
    [['multimodal', 'gray', 'color'], false],
  ] as const)('fit a front into 80 columns of a terminal: %j', (objectives, hasRays) => {
    const { config, runs } = recordedFront(objectives, 3);
    const lines = resultLines('out', summarize(config, runs)).join('\n').split('\n');
    const first = lines.findIndex((line) => line.startsWith('ray'));
    for (const line of lines.slice(first, first + 8)) expect(line.length).toBeLessThanOrEqual(80);
    const details = lines[first + 1]!;
    expect(/ray\b/.test(details)).toBe(hasRays);
    expect(lines.includes('The rays are in front.csv.')).toBe(!hasRays);
    expect(details.match(/test loss/g)).toHaveLength(objectives.length);
  });
});
