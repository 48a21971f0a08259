import type { Table } from '../results/table.ts';

const replacements: ReadonlyMap<string, string> = new Map([
  ['\\', '\\textbackslash{}'],
  ['&', '\\&'],
  ['%', '\\%'],
  ['$', '\\$'],
  ['#', '\\#'],
  ['_', '\\_'],
  ['{', '\\{'],
  ['}', '\\}'],
  ['~', '\\textasciitilde{}'],
  ['^', '\\textasciicircum{}'],
  ['<', '$<$'],
  ['>', '$>$'],
  ['|', '$|$'],
  ['"', "''"],
  ['±', '$\\pm$'],
  ['−', '$-$'],
  ['≥', '$\\geq$'],
  ['≈', '$\\approx$'],
  ['Δ', '$\\Delta$'],
  ['γ', '$\\gamma$'],
  ['α', '$\\alpha$'],
  ['β', '$\\beta$'],
  ['δ', '$\\delta$'],
  ['ε', '$\\varepsilon$'],
  ['η', '$\\eta$'],
  ['θ', '$\\theta$'],
  ['κ', '$\\kappa$'],
  ['λ', '$\\lambda$'],
  ['μ', '$\\mu$'],
  ['ν', '$\\nu$'],
  ['π', '$\\pi$'],
  ['ρ', '$\\rho$'],
  ['σ', '$\\sigma$'],
  ['τ', '$\\tau$'],
  ['φ', '$\\varphi$'],
  ['χ', '$\\chi$'],
  ['ψ', '$\\psi$'],
  ['ω', '$\\omega$'],
  ['↓', '$\\downarrow$'],
  ['↑', '$\\uparrow$'],
  ['→', '$\\to$'],
  ['≤', '$\\leq$'],
  ['†', '$\\ddagger$'],
  ['–', '--'],
  ['’', "'"],
  ['…', '\\ldots{}'],
  ['\u00a0', '~'],
]);

/** Text made safe for LaTeX; line ends and control characters become spaces. */
export function escapeLatex(text: string): string {
  return Array.from(text.replaceAll(/\p{Cc}+/gu, ' '), (c) => replacements.get(c) ?? c).join('');
}

/** What stands around a table. */
export interface LatexTable {
  readonly table: Table;
  /** Sentences, not yet safe for LaTeX. */
  readonly caption: string;
  /** For `\ref`: letters, digits, colons and hyphens. */
  readonly label: string;
}

/**
 * A table for LaTeX, which needs the package booktabs alone: the best number of a column bold, what is not distinguishable
 * from it with a dagger.
 */
export function latexTable({ table, caption, label }: LatexTable): string {
  const { columns, rows, standings } = table;
  const line = (cells: readonly string[]): string => `    ${cells.join(' & ')} \\\\`;
  const body = rows.map((cells, row) =>
    line(
      cells.map((cell, column) => {
        const text = escapeLatex(cell);
        const standing = standings?.[row]?.[column] ?? null;
        if (standing === 'best') return `\\textbf{${text}}`;
        return standing === 'close' ? `${text}$^{\\dagger}$` : text;
      }),
    ),
  );
  const details = columns.map(({ detail }) => (detail === '' ? '' : escapeLatex(detail)));
  return [
    '% Needs \\usepackage{booktabs}.',
    '\\begin{table}[t]',
    '  \\centering',
    `  \\caption{${escapeLatex(caption)}}`,
    `  \\label{${label}}`,
    // A page is this narrow.
    ...(columns.length > 6 ? ['  \\scriptsize\\setlength{\\tabcolsep}{3pt}%'] : []),
    `  \\begin{tabular}{${columns.map((_, column) => (column === 0 ? 'l' : 'r')).join('')}}`,
    '    \\toprule',
    line(columns.map(({ title }) => escapeLatex(title))),
    line(details),
    '    \\midrule',
    ...body,
    '    \\bottomrule',
    '  \\end{tabular}',
    '\\end{table}',
    '',
  ].join('\n');
}

/** A figure for LaTeX around one exported picture. */
export function latexFigure(file: string, caption: string, label: string): string {
  return [
    '\\begin{figure}[t]',
    '  \\centering',
    `  \\includegraphics[width=\\linewidth,height=.4\\textheight,keepaspectratio]{${file}}`,
    `  \\caption{${escapeLatex(caption)}}`,
    `  \\label{${label}}`,
    '\\end{figure}',
    '',
  ].join('\n');
}
