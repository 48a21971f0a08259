import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtinPlugins } from '../strategies/builtin.ts';
import { colours, strategyStyles } from './palette.ts';

const look = ({ colour, dash }: { colour: string; dash: readonly number[] }): string =>
  `${colour} ${dash.join()}`;

describe('strategyStyles', () => {
  it('gives the main strategies their own colours whatever they are compared with', () => {
    const main = ['mmpareto', 'sum', 'pcgrad', 'mgda', 'joint', 'upgrad', 'cagrad'];
    const alone = new Map(main.map((name) => [name, strategyStyles([name])[0]!.colour]));
    expect(new Set(alone.values()).size).toBe(7);
    const others = builtinPlugins.map(({ name }) => name).filter((name) => !alone.has(name));
    for (const { strategy, colour } of strategyStyles([...others, ...main, 'mmpareto:gamma=2']))
      if (alone.has(strategy)) expect(colour).toBe(alone.get(strategy));
  });

  it('gives up to seven strategies seven colours, dash patterns and marks', () => {
    const styles = strategyStyles([
      ...['nash-mtl', './mine.js', 'mmpareto:gamma=2', 'mmpareto'],
      ...['only-left', 'imtl-g', 'krum'],
    ]);
    expect(new Set(styles.map(({ colour }) => colour)).size).toBe(7);
    expect(new Set(styles.map(({ dash }) => dash.join())).size).toBe(7);
    expect(new Set(styles.map(({ shape }) => shape)).size).toBe(7);
  });

  it('gives 49 strategies looks that differ in colour or dashes, and more some look', () => {
    const names = Array.from({ length: 60 }, (_, k) => `s${k}`);
    expect(new Set(strategyStyles(names.slice(0, 49)).map(look)).size).toBe(49);
    expect(strategyStyles(names)).toHaveLength(60);
    const all = builtinPlugins.map(({ name }) => name);
    expect(new Set(strategyStyles(all).map(look)).size).toBe(all.length);
  });
});

describe('colours', () => {
  const linear = (colour: string): number[] =>
    [1, 3, 5].map((at) => {
      const share = parseInt(colour.slice(at, at + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
  const luminance = (colour: string): number => {
    const [r, g, b] = linear(colour) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a: string, b: string): number => {
    const [x, y] = [luminance(a) + 0.05, luminance(b) + 0.05];
    return Math.max(x, y) / Math.min(x, y);
  };

  it('have words that can be read on paper, and lines that show on a dark page', () => {
    for (const { words, dark } of colours) {
      expect(contrast(words, '#ffffff'), words).toBeGreaterThan(4.5);
      expect(contrast(dark, '#1b1b1f'), dark).toBeGreaterThan(4.5);
    }
  });

  // The figures' own style and the site's are no modules: what they say is compared with the palette.
  it.each(['docs/figures/svg.mjs', 'docs/.vitepress/theme/style.css'])(
    'are those of %s',
    (file) => {
      const text = readFileSync(join(import.meta.dirname, '../../../..', file), 'utf8');
      const values = (name: string): string[] =>
        Array.from(
          text.matchAll(new RegExp(`--f-${name}: ?(#[0-9a-f]{6})`, 'g')),
          ([, value]) => value!,
        );
      const named = { a: 'joint', b: 'cagrad', c: 'pcgrad', d: 'mgda', e: 'mmpareto', f: 'upgrad' };
      for (const [name, strategy] of Object.entries(named)) {
        const { colour, words, dark } = strategyStyles([strategy])[0]!;
        expect(values(name)).toEqual([colour, dark]);
        expect(values(`${name}-words`)).toEqual([words, dark]);
      }
    },
  );
});
