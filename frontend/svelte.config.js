import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** @type {import('@sveltejs/vite-plugin-svelte').SvelteConfig} */
export default {
  preprocess: vitePreprocess(),
  compilerOptions: {
    runes: true,
    // Component styles become part of the one stylesheet: the content security policy forbids
    // style elements made at run time.
    css: 'external',
  },
};
