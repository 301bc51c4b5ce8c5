import './styles/index.css';
import './admin/admin.css';
import { mount } from 'svelte';
import App from './admin/app.svelte';
import { Dash } from './admin/dash.svelte';
import { parseRoute } from './admin/route';
import { watchPage } from './browser';
import { systemClock } from './net/clock';

const dash = new Dash({
  fetch: (url, init) => fetch(url, init),
  url: `${location.protocol === 'https:' ? 'wss:' : 'ws:'}//${location.host}/admin/live`,
  WebSocket,
  clock: systemClock,
  random: Math.random,
});

const go = () => (dash.route = parseRoute(location.hash));
go();
addEventListener('hashchange', go);
mount(App, { target: document.body, props: { dash } });
watchPage((what) => {
  if (what === 'online' || what === 'visible') dash.wake();
});
setInterval(() => dash.tick(), 1_000);
