import './styles/index.css';
import { mount } from 'svelte';
import App from './chat/app.svelte';
import { systemClock } from './net/clock';
import { Memory } from './state/memory';
import { ChatStore } from './state/store';
import { tabIdentity, tabName } from './state/tab_identity';
import { uuid } from './state/uuid';
import { outboxVault, pageLocks, shelf, socketUrl, watchPage } from './browser';
import { shellParts } from './shell_parts';

const browser = shelf(() => localStorage);
const tab = shelf(() => sessionStorage);
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
  vault: outboxVault(tabName(self, { browser, tab }), navigator.locks),
});

// The connection is opened while the page is drawn for the first time.
store.connect();
mount(App, { target: document.body, props: { store, parts: surround(store) } });
watchPage((what) => store.pageBecame(what));
// From the worker's cache, the page opens without a network, and no event says so.
if (!navigator.onLine) store.pageBecame('offline');
