import { getContext, onMount, setContext } from 'svelte';
import type { ChatStore, View } from '../state/store';
import { Paced } from './paced';

const KEY = Symbol('chat');

export interface Chat {
  readonly store: ChatStore;
  /** Reactive: what reads it is drawn again when it changes. */
  readonly view: View;
}

export function provideChat(store: ChatStore): Chat {
  let view = $state.raw(store.view);
  const paced = new Paced<View>(
    (next) => (view = next),
    // A hidden page has no frames.
    (act) => void (document.hidden ? setTimeout(act, 250) : requestAnimationFrame(act)),
  );
  onMount(() => store.subscribe((next) => paced.offer(next)));
  return setContext<Chat>(KEY, {
    store,
    get view() {
      return view;
    },
  });
}

export function useChat(): Chat {
  return getContext<Chat>(KEY);
}
