import './styles/index.css';
import { mount } from 'svelte';
import App from './chat/app.svelte';
import { systemClock } from './net/clock';
import { Memory } from './state/memory';
import { ChatStore } from './state/store';
import { tabIdentity } from './state/tab_identity';
import { uuid } from './state/uuid';
import { pageLocks, shelf, socketUrl, watchPage } from './browser';

const tab = shelf(() => sessionStorage);
const self = await tabIdentity({
  browser: shelf(() => localStorage),
  tab,
  hold: pageLocks(navigator.locks),
  uuid: () => uuid(),
});
const store = new ChatStore({
  url: socketUrl(location),
  WebSocket,
  clock: systemClock,
  random: Math.random,
  uuid: () => uuid(),
  memory: new Memory(self, tab),
});

mount(App, { target: document.body, props: { store } });
watchPage((what) => store.pageBecame(what));
store.connect();
