import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFiles } from '@multigrad/core/files';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordedComparison } from '../testing/recorded-comparison.ts';
import { writeComparison } from '../testing/write-comparison.ts';
import { type Exported, exportReport, type PictureFormat } from './export-report.ts';
import { openPdfWriter } from './pdf.ts';

const { config, runs } = recordedComparison({
  strategies: ['sum', 'mmpareto:gamma=2', '@evil/<&"'],
  epochs: 2,
  stepsPerEpoch: 10,
});
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'multigrad-paper-'));
  writeComparison(join(folder, 'out'), { config, runs });
});

afterAll(() => rmSync(folder, { recursive: true }));

const exportTo = (to: string, formats: readonly PictureFormat[] | null): Promise<Exported> =>
  exportReport(
    { folder: join(folder, 'out'), given: 'out', to: join(folder, to), givenTo: to, formats },
    config,
    nodeFiles,
  );
const bytes = (...path: string[]): Buffer => readFileSync(join(folder, ...path));

describe('exportReport', () => {
  it('writes every chart as SVG, PDF and PNG, and the tables as CSV and LaTeX', async () => {
    const { names, missing } = await exportTo('all', null);
    expect(missing).toEqual([]);
    expect(readdirSync(join(folder, 'all')).sort()).toEqual(names);
    const charts = [
      ...['accuracy', 'conflicts', 'cosines', 'final-accuracy', 'norms', 'test-loss'],
      ...['training-loss', 'weights'],
    ];
    expect(names.filter((name) => /\.(svg|pdf|png)$/.test(name))).toEqual(
      charts.flatMap((chart) => [`${chart}.pdf`, `${chart}.png`, `${chart}.svg`]),
    );
    expect(names).toEqual(expect.arrayContaining(['comparison.tex', 'figures.tex', 'results.csv']));
    for (const chart of charts) {
      const svg = bytes('all', `${chart}.svg`).toString();
      expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="[\d.]+"/);
      expect(svg).toContain('<title>MMPareto (gamma 2)');
      expect(svg).toContain('</text>');
      expect(svg.split('<svg').length).toBe(svg.split('</svg>').length);
      const png = bytes('all', `${chart}.png`);
      expect(png.subarray(1, 4).toString()).toBe('PNG');
      // Three pixels for each of the picture's.
      const [, width] = /width="([\d.]+)"/.exec(svg)!;
      expect(Math.abs(png.readUInt32BE(16) - 3 * Number(width))).toBeLessThanOrEqual(3);
      const pdf = bytes('all', `${chart}.pdf`).toString('latin1');
      expect(pdf.startsWith('%PDF-')).toBe(true);
      expect(pdf).toContain('+DejaVuSans');
      expect(pdf).toContain('/FontFile2');
      expect(pdf).toContain('/ToUnicode');
      // The end of the last run.
      expect(pdf).toContain('(D:20250101120000Z)');
    }
    expect(bytes('all', 'results.tex').toString()).toContain('MMPareto (gamma 2) & ');
    expect(bytes('all', 'results.tex').toString()).toContain('n = 2 seeds.');
  });

  it('gives the same bytes for the same folder, and replaces an earlier export whole', async () => {
    const digests = (to: string): Record<string, string> =>
      Object.fromEntries(
        readdirSync(join(folder, to)).map((name) => [
          name,
          createHash('sha256').update(bytes(to, name)).digest('hex'),
        ]),
      );
    await exportTo('again', null);
    const first = digests('again');
    await exportTo('again', null);
    expect(digests('again')).toEqual(first);
    const { names } = await exportTo('again', ['svg']);
    expect(readdirSync(join(folder, 'again')).sort()).toEqual(names);
    expect(names.filter((name) => /\.(pdf|png)$|figures/.test(name))).toEqual([]);
  });

  it('refuses a folder with files of somebody else, and leaves them', async () => {
    mkdirSync(join(folder, 'mine'));
    writeFileSync(join(folder, 'mine', 'paper.tex'), 'mine');
    await expect(exportTo('mine', ['svg'])).rejects.toMatchObject({
      code: 'io',
      message: expect.stringContaining('paper.tex') as string,
    });
    expect(readdirSync(join(folder, 'mine'))).toEqual(['paper.tex']);
    await expect(exportTo('out', ['svg'])).rejects.toMatchObject({ code: 'io' });
    expect(readdirSync(join(folder, 'out'))).toEqual(['config.json', 'runs']);
  });
});

describe('openPdfWriter', () => {
  it('says which packages to install', async () => {
    await expect(openPdfWriter(['not-there-at-all', 'svg-to-pdfkit'])).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(
        'npm install --save-dev @resvg/resvg-wasm pdfkit svg-to-pdfkit',
      ) as string,
    });
  });
});
