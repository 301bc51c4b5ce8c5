import { lazy } from './later.svelte';

/**
 * What draws and helps to write more than plain text. It is not in the initial page, whose size is bounded, but asked for
 * at once: it is there before the server has said who we are. Without it the text is there all the same, as it was written.
 */
export const writing = lazy(() => import('./writing_parts'));
writing.want();
