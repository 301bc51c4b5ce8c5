import { choice, dashboard, lines, number } from './panels.mjs';

const one = 'job=~"$job", instance=~"$instance"';

export const abuse = dashboard({
  uid: 'roomful-abuse',
  title: 'Roomful: abuse',
  description: 'Who asks for too much, who wants to get in, and what admins do about it.',
  choices: [
    choice('job', 'Service', 'app_build_info'),
    choice('instance', 'Process', 'app_build_info{job=~"$job"}'),
  ],
  rows: [
    [
      'Now',
      [
        number('Refusals', 'Of all limits, a second.', 'ops', `sum(rate(limiter_refusals_total{${one}}[$__rate_interval])) or vector(0)`, { thresholds: [[1, 'orange'], [10, 'red']], decimals: 1 }),
        number('Closed for flooding', 'Clients, within the last hour.', 'short', `sum(increase(websocket_closes_total{${one}, code="4029"}[1h])) or vector(0)`, { thresholds: [[1, 'orange'], [10, 'red']], decimals: 0 }),
        number('Failed sign-ins', 'Tries to sign in as an admin that failed, within the last hour.', 'short', 'sum(increase(admin_sign_ins_total{outcome!="done"}[1h])) or vector(0)', { thresholds: [[4, 'orange'], [10, 'red']], decimals: 0 }),
        number('Bans', 'That hold now.', 'short', 'max(bans_active)', { base: 'blue' }),
        number('Dashboards open', 'Admins that look at the live feed.', 'short', 'sum(admin_live_connections)', { base: 'blue' }),
        number('Clients', 'Of the whole cluster, that a connection speaks for.', 'short', 'max(cluster_clients)', { base: 'blue' }),
      ],
    ],
    [
      'Limits',
      [
        lines('Refusals by limit', 'A second. Who it is, is on the admins\' page.', 'ops', [
          [`sum by (policy) (rate(limiter_refusals_total{${one}}[$__rate_interval]))`, '{{policy}}'],
        ], { thresholds: [[10, 'orange']] }),
        lines('Refusals by layer', 'The node\'s own bucket stops bursts; the cluster\'s window stops whoever spreads over nodes.', 'ops', [
          [`sum by (layer) (rate(limiter_refusals_total{${one}}[$__rate_interval]))`, '{{layer}}'],
        ]),
        lines('Refusals by process', 'One process alone: one client, or one address. All of them: many.', 'ops', [
          [`sum by (job, instance) (rate(limiter_refusals_total{${one}}[$__rate_interval]))`, '{{job}} {{instance}}'],
        ]),
        lines('Refused commands', 'By the code of the ERROR.', 'ops', [
          [`sum by (code) (rate(commands_refused_total{${one}}[$__rate_interval]))`, '{{code}}'],
        ]),
        lines('Refused WebSockets', 'By reason.', 'ops', [
          [`sum by (reason) (rate(websocket_upgrades_refused_total{${one}}[$__rate_interval]))`, '{{reason}}'],
        ], { thresholds: [[1, 'orange']] }),
        lines('Refused requests', 'Answers over HTTP with a 4xx status.', 'reqps', [
          [`sum by (job, status) (rate(http_requests_total{${one}, status=~"4.."}[$__rate_interval]))`, '{{job}} {{status}}'],
        ]),
      ],
    ],
    [
      'Sockets',
      [
        lines('Closed by us', 'WebSockets closed for what the client did: bad frames (1002, 1007, 1009), a bad origin or first frame (1008), no CONNECT (4001), too slow (4008), banned (4010), removed (4011), flooding (4029).', 'cps', [
          [`sum by (code) (rate(websocket_closes_total{${one}, code=~"1002|1007|1008|1009|4001|4008|4010|4011|4029"}[$__rate_interval]))`, '{{code}}'],
        ], { stack: true }),
        lines('Connects for each client', 'Connections made within ten minutes, for each that is open. A deploy makes two; over five somebody is paged.', 'short', [
          ['sum(increase(websocket_connects_total[10m])) / sum(websocket_connections_active)', 'connects'],
        ], { thresholds: [[5, 'red']] }),
        lines('Turned away at the gate', 'Clients that are asked to come back later, a second.', 'cps', [
          [`sum by (instance) (rate(admissions_refused_total{${one}}[$__rate_interval]))`, '{{instance}}'],
        ]),
      ],
    ],
    [
      'Admins',
      [
        lines('Sign-ins', 'By outcome, within five minutes.', 'short', [['sum by (outcome) (increase(admin_sign_ins_total[5m]))', '{{outcome}}']]),
        lines('Acts', 'What admins did, within five minutes.', 'short', [['sum by (action) (increase(admin_acts_total[5m]))', '{{action}}']]),
        lines('How acts ended', 'Within five minutes. `unconfirmed`: a node did not say in time that it did it.', 'short', [
          ['sum by (outcome) (increase(admin_acts_total[5m]))', '{{outcome}}'],
        ]),
      ],
    ],
  ],
});
