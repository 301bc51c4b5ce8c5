import { onMount } from 'svelte';
import type { Shelf } from '../state/memory';
import { DEFAULTS, type Settings } from '../state/settings';
import type { ChatStore } from '../state/store';
import type { attention } from './attention';
import { provideReading, Reading } from './reading.svelte';

const AGAIN_MS = 5_000;

/** Watches over what is said, from soon after the page has been drawn: no first message waits for it. */
export function attend({
  store,
  shelf,
  settings = () => DEFAULTS,
}: {
  store: ChatStore;
  shelf: Shelf;
  settings?: (() => Settings) | undefined;
}): { readonly reading: Reading; readonly spoken: string } {
  let spoken = $state('');
  let watching = $state.raw<ReturnType<typeof attention>>();
  const reading = provideReading(new Reading());

  onMount(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const load = () =>
      import('./attention').then(
        ({ attention }) => {
          const speak = (text: string) => (spoken = text);
          if (!ended) watching = attention({ store, reading, shelf, settings, speak });
        },
        // The network was away just then.
        () => {
          if (!ended) timer = setTimeout(load, AGAIN_MS);
        },
      );
    void load();
    return () => {
      ended = true;
      clearTimeout(timer);
      watching?.end();
    };
  });
  // At the end of the list again: what came meanwhile is read.
  $effect(() => {
    if (reading.atEnd) watching?.watch();
  });

  return {
    reading,
    get spoken() {
      return spoken;
    },
  };
}
