import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

// Which code spans of the pages are formulas, and how the site writes them.

const root = join(import.meta.dirname, '..');
const { latexOf, typeset } = (await import(join(root, 'docs/scripts/formulas.mjs'))) as Record<
  'latexOf' | 'typeset',
  (text: string) => string | null
>;

describe('a code span', () => {
  it.each([
    ['Σ_k w_k g_k', String.raw`\sum _{k} w_{k} g_{k}`],
    [
      '⟨u, g_k⟩ >= −ε |u| |g_k|',
      String.raw`\langle u, g_{k}\rangle  \ge  -\varepsilon  \lvert u\rvert  \lvert g_{k}\rvert`,
    ],
    [
      'a = argmin |Σ_k a_k g_k / |g_k||²',
      String.raw`a = \operatorname{argmin} \lvert \sum _{k} a_{k} g_{k} / \lvert g_{k}\rvert \rvert ^{2}`,
    ],
    ['G = J Jᵀ', String.raw`G = J J^{\top }`],
    ['|g_k| = √G_kk', String.raw`\lvert g_{k}\rvert  = \sqrt{G_{k k}}`],
    [
      'rate · factor^⌊step / every⌋',
      String.raw`\mathrm{rate} \cdot  \mathrm{factor}^{\lfloor \mathrm{step} / \mathrm{every}\rfloor }`,
    ],
    [
      'x_l = max(0, x_{l−1} W_l + b_l)',
      String.raw`x_{l} = \operatorname{max}(0, x_{l-1} W_{l} + b_{l})`,
    ],
    ['z̄_k', String.raw`\bar{z}_{k}`],
    ['2⁻³⁶', '2^{-36}'],
    ['h = s', 'h = s'],
  ])('%s is typeset', (text, latex) => {
    expect(latexOf(text)).toBe(latex);
    expect(typeset(text)).toMatch(/^<math.*<\/math>$/s);
  });

  it.each([
    ...['npm install', 'mmpareto:gamma=2,rescale=tensor', 'fit({ x, y })', 'loss_mm', 'a_b_c', 'x'],
    ...[
      '1001_DFA_ANG_XX.wav',
      '@multigrad/core',
      '| head',
      "'tensor'",
      'number >= 1',
      '0.5',
      '--lr',
    ],
    ...['Record<string, number>', 'a => b', 'i++', 'keep[k] · m_k', 'isZero(G, Σ w_k)', 'f()', ''],
  ])('%s is code', (text) => expect(latexOf(text)).toBeNull());
});

it('can be typeset, whatever the pages hold', () => {
  const files = [
    ...readdirSync(join(root, 'docs'))
      .filter((file) => file.endsWith('.md'))
      .map((file) => `docs/${file}`),
    ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`),
  ];
  let count = 0;
  for (const file of files) {
    for (const [, span] of readFileSync(join(root, file), 'utf8').matchAll(
      /(?<!`)`([^`\n]+)`(?!`)/g,
    ))
      if (typeset(span!.replaceAll('\\|', '|')) !== null) count += 1;
  }
  expect(count).toBeGreaterThan(150);
});
