/** One file to load: these are wanted together, and smaller that way. */
export { default as ComposerTools } from './composer_tools.svelte';
export { default as MessageBody } from './message_body.svelte';
export { default as Quote } from './quote.svelte';
export { default as ReactionBar } from './reaction_bar.svelte';
