import { describe, expect, it } from 'vitest';
import { escapeLatex, latexFigure, latexTable } from './latex.ts';

describe('escapeLatex', () => {
  it('leaves no sign that LaTeX would take for its own', () => {
    expect(escapeLatex('a_b & 50% of $x #1 {y} ~ ^ \\cmd < > | "z"')).toBe(
      "a\\_b \\& 50\\% of \\$x \\#1 \\{y\\} \\textasciitilde{} \\textasciicircum{} \\textbackslash{}cmd $<$ $>$ $|$ ''z''",
    );
    expect(escapeLatex('1.0 ± 0.5, −0.3, Δm, p ≥ .05, † – ’')).toBe(
      "1.0 $\\pm$ 0.5, $-$0.3, $\\Delta$m, p $\\geq$ .05, $\\ddagger$ -- '",
    );
    expect(escapeLatex('error ↓, γ ≤ λ')).toBe('error $\\downarrow$, $\\gamma$ $\\leq$ $\\lambda$');
    expect(escapeLatex('two\nlines\u0007')).toBe('two lines ');
  });
});

describe('latexTable', () => {
  it('rules by booktabs, bold for the best, a dagger for what is not distinguishable', () => {
    const table = {
      columns: [
        { title: 'strategy', detail: '' },
        { title: 'left_head', detail: 'test %' },
      ],
      rows: [
        ['Sum †', '1.0 ± 0.5'],
        ['MGDA', '2.0'],
        ['A & B', '0.5'],
      ],
      standings: [
        [null, 'close'],
        [null, 'best'],
        [null, 'behind'],
      ],
    } as const;
    expect(latexTable({ table, caption: '50 % of it.', label: 'tab:x' })).toBe(
      `% Needs \\usepackage{booktabs}.
\\begin{table}[t]
  \\centering
  \\caption{50 \\% of it.}
  \\label{tab:x}
  \\begin{tabular}{lr}
    \\toprule
    strategy & left\\_head \\\\
     & test \\% \\\\
    \\midrule
    Sum $\\ddagger$ & 1.0 $\\pm$ 0.5$^{\\dagger}$ \\\\
    MGDA & \\textbf{2.0} \\\\
    A \\& B & 0.5 \\\\
    \\bottomrule
  \\end{tabular}
\\end{table}
`,
    );
  });
});

describe('latexFigure', () => {
  it('includes a picture by its name without the ending, which LaTeX chooses', () => {
    expect(latexFigure('accuracy', 'At 5 %.', 'fig:a')).toContain(
      'keepaspectratio]{accuracy}\n  \\caption{At 5 \\%.}\n  \\label{fig:a}',
    );
  });
});
