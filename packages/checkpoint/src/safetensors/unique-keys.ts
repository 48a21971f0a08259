/**
 * The first key that a JSON text gives twice in one object, else null. `JSON.parse` keeps the last of the two and says
 * nothing.
 *
 * @param json - a text that `JSON.parse` takes
 */
export function repeatedKey(json: string): string | null {
  const open: (Set<string> | null)[] = [];
  let word = '';
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at]!;
    if (character === '"') {
      const start = at;
      for (at += 1; json[at] !== '"'; at += 1) if (json[at] === '\\') at += 1;
      word = json.slice(start, at + 1);
    } else if (character === '{') open.push(new Set());
    else if (character === '[') open.push(null);
    else if (character === '}' || character === ']') open.pop();
    else if (character === ':') {
      const key = JSON.parse(word) as string;
      const keys = open.at(-1)!;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return null;
}
