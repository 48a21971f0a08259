import { defineConfig } from 'vite';

// Several threads share memory, which browsers allow to pages that are served with these two headers.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  server: { headers },
  preview: { headers },
});
