import { getContext, setContext } from 'svelte';
import { fromStore } from 'svelte/store';
import type { ChatStore, View } from '../state/store';

const KEY = Symbol('chat');

export interface Chat {
  readonly store: ChatStore;
  /** Reactive: what reads it is drawn again when it changes. */
  readonly view: View;
}

export function provideChat(store: ChatStore): Chat {
  const current = fromStore(store);
  return setContext<Chat>(KEY, {
    store,
    get view() {
      return current.current;
    },
  });
}

export function useChat(): Chat {
  return getContext<Chat>(KEY);
}
