/** Sentences on the baselines that train one objective alone, where they are among the strategies. */
export function baselineNotes(strategies: readonly string[]): string[] {
  const single = strategies.filter((name) => name === 'joint' || name.startsWith('only-'));
  if (single.length === 0) return [];
  return [
    `${single.join(', ')}: ${single.length === 1 ? 'it trains' : 'each trains'} on one loss alone; the other heads are not trained, so ` +
      'what they reach means nothing.',
  ];
}
