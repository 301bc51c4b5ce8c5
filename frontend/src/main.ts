import './styles/index.css';
import { mount } from 'svelte';
import App from './chat/app.svelte';
import { systemClock } from './net/clock';
import { Memory } from './state/memory';
import { ChatStore } from './state/store';
import { uuid } from './state/uuid';
import { shelf, socketUrl, watchPage } from './browser';

const store = new ChatStore({
  url: socketUrl(location),
  WebSocket,
  clock: systemClock,
  random: Math.random,
  uuid: () => uuid(),
  memory: new Memory(
    shelf(() => localStorage),
    shelf(() => sessionStorage),
  ),
});

mount(App, { target: document.body, props: { store } });
watchPage((what) => store.pageBecame(what));
store.connect();
