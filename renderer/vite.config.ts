import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  // The page's policy allows no inline script or style, so nothing small may be put inline.
  build: { outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { '/v1': 'http://127.0.0.1:11711', '/api': 'http://127.0.0.1:11711', '/docs': 'http://127.0.0.1:11711' } },
});
