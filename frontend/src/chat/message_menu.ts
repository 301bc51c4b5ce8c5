import { lazy } from './later.svelte';

/** What can be done with a message; most are only read. */
export const messageMenu = lazy(() => import('./message_menu.svelte'));
