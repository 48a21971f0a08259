import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Summary } from '../results/figures.ts';
import { summarize } from '../results/summary.ts';
import { type RecordedOptions, recordedComparison } from '../testing/recorded-comparison.ts';
import { renderReport } from './report-content.ts';

const commands = {
  repeat: 'multigrad compare cg-mnist --seeds 2',
  redraw: 'multigrad report runs/x',
};

async function reportOf(
  options: RecordedOptions,
  change = (summary: Summary): Summary => summary,
): Promise<string> {
  const { config, runs } = recordedComparison(options);
  return renderReport(change(summarize(config, runs)), runs, commands);
}

let standard = '';

beforeAll(async () => {
  standard = await reportOf({});
});

const count = (text: string, part: string | RegExp): number => text.split(part).length - 1;
const sections = (html: string): string[] =>
  Array.from(html.matchAll(/<section id="([^"]+)">/g), ([, id]) => id!);

describe('renderReport', () => {
  it('has the results first, every chart, and the configuration and commands last', () => {
    const html = standard;
    expect(sections(html)).toEqual([
      'results',
      'comparison',
      'final-accuracy',
      'accuracy',
      'training-loss',
      'test-loss',
      'conflicts',
      'cosines',
      'norms',
      'weights',
      'runs',
      'configuration',
      'commands',
      'sources',
    ]);
    // Three heads in four charts, two groups in two, two groups times two objectives in two.
    expect(count(html, '<figure>')).toBe(3 * 4 + 2 * 2 + 4 * 2);
    expect(count(html, 'role="img" tabindex="0" aria-label="')).toBe(count(html, '<figure>'));
    expect(count(html, /<svg [^>]*class="marks"/)).toBe(count(html, '<figure>'));
    for (const command of Object.values(commands))
      expect(count(html, `<code>${command}</code>`)).toBe(1);
    // Ten runs of 188 steps.
    expect(count(html, '<dd>1860 by a plan, 20 noted for one, 0 plain</dd>')).toBe(1);
  });

  it('says what each modality contributes where that was measured', async () => {
    const html = await reportOf({ contributions: true });
    expect(sections(html)).toEqual([
      ...['results', 'comparison', 'contributions', 'final-accuracy'],
      ...['contribution', 'class-contribution', 'contribution-epochs', 'accuracy'],
      ...sections(standard).slice(4),
    ]);
    const part = (id: string): string =>
      html.split(`<section id="${id}">`)[1]!.split('</section>')[0]!;
    // A line for each strategy and modality, then one for each strategy.
    expect(count(part('contributions'), '<tr>')).toBe(1 + 5 * 2 + 1 + 5);
    expect(part('contributions')).toContain('<td>+26.4 ± 0.7</td>');
    expect(part('contributions')).toContain('gray × color');
    // One panel for each modality, for each strategy, for each modality.
    expect(count(part('contribution'), '<figure>')).toBe(2);
    expect(count(part('class-contribution'), '<figure>')).toBe(5);
    expect(count(part('contribution-epochs'), '<figure>')).toBe(2);
    // Every mark says its value: strategies, and classes times modalities.
    expect(count(part('contribution'), 'points</title>')).toBe(2 * 5);
    expect(count(part('class-contribution'), 'points</title>')).toBe(5 * 10 * 2);
    const one = await reportOf({ contributions: true, seeds: [0], epochs: 1 });
    expect(one).toContain('<td>+11.8 [+9.8, +13.8]</td>');
    expect(one).toContain('it says nothing about other seeds');
    expect(sections(one)).not.toContain('contribution-epochs');
  });

  it('explains every chart in a sentence and names every axis', () => {
    const html = standard;
    for (const section of html.split('<section ').slice(2, 10)) {
      expect(section).toMatch(/<h2>[^<]+<\/h2>\n<p>[^<]{40,}<\/p>/);
    }
    for (const axis of [
      'epoch',
      'training step',
      'test accuracy (%)',
      'training loss',
      'test loss',
      'steps in conflict (%)',
      'cosine between two gradients',
      'steps (%)',
      'gradient norm',
      'weight',
    ]) {
      expect(count(html, `>${axis}</text>`), axis).toBeGreaterThan(0);
    }
  });

  it('is one file that asks the network for nothing, with one script, which is its own', () => {
    const html = standard;
    expect(count(html, '<script')).toBe(1);
    expect(html).toContain('startCharts(document);\n</script>\n</body>');
    expect(html.match(/<link|<img|<iframe|@import|src=|xlink:href|url\((?!#)/g)).toBeNull();
    expect(
      Array.from(html.matchAll(/https?:\/\/[^"<\s]+/g), ([address]) => address).filter(
        (address) => !address.startsWith('http://www.w3.org/2000/svg'),
      ),
    ).toEqual([]);
  });

  it('gives each strategy one colour in legends, tables and charts', async () => {
    const html = await reportOf({ strategies: ['sum', 'mgda'] });
    const swatch = (name: string): string[] => [
      ...new Set(
        Array.from(
          html.matchAll(/stroke="(#[0-9a-f]{6})"[^>]*\/><path [^>]*\/><\/svg>([^<]+)</g),
        ).flatMap(([, colour, label]) => (label === name ? [colour!] : [])),
      ),
    ];
    const [sum, mgda] = [swatch('Sum'), swatch('MGDA')];
    expect(sum).toHaveLength(1);
    expect(mgda).toHaveLength(1);
    expect(sum).not.toEqual(mgda);
    for (const section of html.split('<section ').slice(4, 8))
      expect(count(section, `stroke="${sum[0]!}" stroke-width=`)).toBeGreaterThan(0);
  });

  it('draws coinciding lines so that each shows: the later the thinner', () => {
    const accuracy = standard.split('<section id="accuracy">')[1]!;
    const widths = Array.from(
      accuracy
        .slice(0, accuracy.indexOf('</svg></div>'))
        .matchAll(/stroke="#\w+" stroke-width="([\d.]+)" stroke-linecap/g),
      ([, width]) => Number(width),
    );
    expect(widths.map((width) => width.toFixed(1))).toEqual(['3.2', '2.8', '2.4', '2.0', '1.6']);
  });

  it('uses no id twice and refers to none that is absent', () => {
    const html = standard;
    const ids = Array.from(html.matchAll(/ id="([^"]+)"/g), ([, id]) => id!);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of html.matchAll(/url\(#([^)]+)\)/g)) expect(ids).toContain(id);
  });

  it('escapes everything that comes from outside', async () => {
    const evil = `</svg><script>alert("1")</script>'&`;
    const { config, runs } = recordedComparison({ strategies: ['sum', `./x.js:a=${evil}`] });
    const poisoned = JSON.parse(
      JSON.stringify({ config, runs })
        .replaceAll('gray', () => JSON.stringify(evil).slice(1, -1))
        .replaceAll('"finished"', () => JSON.stringify(evil)),
    ) as typeof recordedComparison extends () => infer Result ? Result : never;
    poisoned.runs[0] = {
      ...poisoned.runs[0]!,
      result: {
        ...poisoned.runs[0]!.result!,
        status: 'failed',
        error: { code: 'x', message: evil },
      },
    };
    const html = await renderReport(summarize(poisoned.config, poisoned.runs), poisoned.runs, {
      repeat: evil,
      redraw: evil,
    });
    expect(count(html, '<script')).toBe(1);
    // Within an attribute a quote would end it.
    expect(html.match(/="[^"<>]*alert\("/g)).toBeNull();
    expect(count(html, '&lt;script')).toBeGreaterThan(20);
    const [content = ''] = html.split('<script');
    expect(count(content, '<svg')).toBe(count(content, '</svg>'));
  });

  it('shows what there is when nothing ran to its end', async () => {
    const html = await reportOf({
      strategies: ['sum'],
      seeds: [0],
      cutShort: () => ({ epochs: 1, status: 'stopped' }),
    });
    expect(count(html, 'Sum, seed 0: stopped after epoch 1 of 4.')).toBe(1);
    expect(count(html, 'Sum †')).toBe(1);
    const empty = recordedComparison({ strategies: ['sum'], seeds: [0] });
    const nothing = await renderReport(summarize(empty.config, []), [], commands);
    expect(sections(nothing)).toEqual(['results', 'runs', 'configuration', 'commands', 'sources']);
    expect(count(nothing, 'Sum, seed 0: not run yet.')).toBe(1);
  });

  it('shows strategies without diagnostics, and an experiment that this version does not know', async () => {
    const { config, runs } = recordedComparison({ strategies: ['sum'] });
    const blind = runs.map((run) => ({
      ...run,
      steps: [],
      result: { ...run.result!, conflicts: {} },
      epochs: run.epochs.map((epoch) => ({ ...epoch, conflicts: {} })),
    }));
    const html = await renderReport(
      summarize({ ...config, experiment: 'of-tomorrow' }, blind),
      blind,
      commands,
    );
    expect(sections(html)).toEqual([
      'results',
      'final-accuracy',
      'accuracy',
      'training-loss',
      'test-loss',
      'runs',
      'configuration',
      'commands',
      'sources',
    ]);
    expect(count(html, '<h1>of-tomorrow: Sum</h1>')).toBe(1);
  });

  it('gives the chart library nothing to complain about', async () => {
    const warn = vi.spyOn(console, 'warn').mockReturnValue();
    await reportOf({});
    expect(warn.mock.calls).toEqual([]);
    warn.mockRestore();
  });

  it('is the same for the same records', async () => {
    expect((await reportOf({})) === standard).toBe(true);
  });
});
