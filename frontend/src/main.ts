import './styles/index.css';
import { mount } from 'svelte';
import App from './chat/app.svelte';
import { systemClock } from './net/clock';
import { Memory } from './state/memory';
import { ChatStore } from './state/store';
import { tabIdentity, tabName } from './state/tab_identity';
import { uuid } from './state/uuid';
import { outboxVault, pageLocks, shelf, socketUrl, watchPage } from './browser';

const browser = shelf(() => localStorage);
const tab = shelf(() => sessionStorage);
const self = await tabIdentity({
  browser,
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
  vault: outboxVault(tabName(self, { browser, tab }), navigator.locks),
});

mount(App, { target: document.body, props: { store } });
watchPage((what) => store.pageBecame(what));
store.connect();
