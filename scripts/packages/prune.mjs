// Ends npm run build: the compiler leaves behind what it made of sources that are gone, and npm would pack it.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const packages = join(import.meta.dirname, '..', '..', 'packages');
for (const name of readdirSync(packages)) {
  const dist = join(packages, name, 'dist');
  if (!existsSync(dist)) continue;
  for (const file of readdirSync(dist, { recursive: true })) {
    const made = /^(.*)\.(?:js|d\.ts)(?:\.map)?$/.exec(file);
    if (made && !existsSync(join(packages, name, 'src', `${made[1]}.ts`))) rmSync(join(dist, file));
  }
}
