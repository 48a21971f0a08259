import { writeFileSync } from 'node:fs';
import { it } from 'vitest';
import { recordedComparison } from './testing/recorded-comparison.ts';
import { summarize } from './results/summary.ts';
import { renderReport } from './report/report.ts';
import { markdownTable, resultsCsv, resultsTable, runsTable, textTable } from './results/table.ts';
it('x', async () => {
  const { config, runs } = recordedComparison({ strategies: ['joint', 'sum', 'mmpareto', 'mmpareto:gamma=2,rescale=tensor', 'pcgrad', 'mgda'] });
  const s = summarize(config, runs);
  console.log(textTable(resultsTable(s)));
  console.log(markdownTable(runsTable(s, runs)));
  console.log(resultsCsv(s));
  const t = performance.now();
  const html = await renderReport(s, runs, { repeat: 'multigrad compare cg-mnist --strategies joint,sum --out runs/x', redraw: 'multigrad report runs/x' });
  console.log(performance.now() - t, html.length);
  writeFileSync('/work/scratch/cli/report.html', html);
});
