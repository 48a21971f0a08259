import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

// What only a browser can show; kept apart from `npm test`, which needs Node alone.
export default defineConfig({
  ...base,
  root: join(import.meta.dirname, '../..'),
  test: { ...base.test, include: ['tests/browser/**/*.test.ts'], exclude: ['**/node_modules/**'] },
});
