/**
 * Compares the newest record with those before it, ratio by ratio. A ratio got worse where its median is `worse` times that
 * of the best earlier record of the same kind of machine, and its lower quartile is above the upper quartile there: then
 * noise is no explanation.
 *
 * @param {{ commit: string, machine: string, ratios: Record<string, { low: number, median: number, high: number }> }[]} records
 *   from the oldest to the newest
 * @returns {{ name: string, now: object, best?: object, commit?: string, worse: boolean }[]} by name; without `best` where
 *   no earlier record has the ratio
 */
export function compareRecords(records, worse) {
  const newest = records.at(-1);
  if (newest === undefined) return [];
  const earlier = records.slice(0, -1).filter(({ machine }) => machine === newest.machine);
  return Object.entries(newest.ratios)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, now]) => {
      const found = earlier
        .filter(({ ratios }) => Object.hasOwn(ratios, name))
        .map(({ commit, ratios }) => ({ commit, ratio: ratios[name] }))
        .sort((a, b) => a.ratio.median - b.ratio.median)[0];
      if (found === undefined) return { name, now, worse: false };
      const best = found.ratio;
      const isWorse = now.median > worse * best.median && now.low > best.high;
      return { name, now, best, commit: found.commit, worse: isWorse };
    });
}

/** The ratios of a run by what they compare, such as `lstm, wasm, mmpareto: of MMPareto by hand`. */
export function ratiosOf({ results }) {
  const kinds = {
    ofOwnSum: 'of its own sum',
    ofPeerSum: "of PyTorch's sum",
    ofPeerOfficial: 'of the official loop',
    ofPeerByHand: 'of MMPareto by hand',
    ofReference: 'of an empty Node',
  };
  const ratios = {};
  for (const { workload, rows } of results) {
    for (const row of rows) {
      if (row.case === undefined || row.runner === 'pytorch') continue;
      for (const [kind, words] of Object.entries(kinds)) {
        const ratio = row[kind];
        const itself = kind === 'ofOwnSum' && row.case === 'sum';
        if (ratio === undefined || itself) continue;
        ratios[`${workload}, ${row.runner}, ${row.case}: ${words}`] = ratio;
      }
    }
  }
  return ratios;
}
