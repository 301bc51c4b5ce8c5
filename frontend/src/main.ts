import './styles/index.css';
import { mount } from 'svelte';
import App from './chat/app.svelte';
import { systemClock } from './net/clock';
import { Memory } from './state/memory';
import { ChatStore } from './state/store';
import { tabIdentity } from './state/tab_identity';
import { uuid } from './state/uuid';
import { pageLocks, shelf, socketUrl, watchPage } from './browser';
import { shellParts } from './shell_parts';

const tab = shelf(() => sessionStorage);
const browser = shelf(() => localStorage);
const surround = await shellParts(browser);
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
});

mount(App, { target: document.body, props: { store, parts: surround(store) } });
watchPage((what) => store.pageBecame(what));
store.connect();
// From the worker's cache, the page opens without a network, and no event says so.
if (!navigator.onLine) store.pageBecame('offline');
