import { choice, dashboard, lines, number, quantile } from './panels.mjs';

const user = 'job=~"$job", path!~"/livez|/readyz|/metrics"';

export const overview = dashboard({
  uid: 'roomful-overview',
  title: 'Roomful: overview',
  description: 'Whether people can chat, and how much they do.',
  choices: [choice('job', 'Service', 'app_build_info')],
  rows: [
    [
      'Now',
      [
        number('Alerts to act on', 'Alerts that page, firing now. What each means is in docs/runbooks.md.', 'short', 'count(ALERTS{alertstate="firing", severity="page"}) or vector(0)', { thresholds: [[1, 'red']] }),
        number('Tickets', 'Alerts for working hours, firing now.', 'short', 'count(ALERTS{alertstate="firing", severity="ticket"}) or vector(0)', { thresholds: [[1, 'orange']] }),
        number('Chat-nodes', 'Nodes that hold a lease, as the gateway sees it.', 'short', 'max(cluster_nodes)', { base: 'red', thresholds: [[1, 'green']] }),
        number('Clients', 'Clients of the whole cluster that a connection speaks for.', 'short', 'max(cluster_clients)', { base: 'blue' }),
        number('Rooms', 'Rooms that have members.', 'short', 'max(cluster_rooms)', { base: 'blue' }),
        number('Redis', 'Whether Redis answers the gateway.', 'short', 'max(redis_server_up)', { base: 'red', thresholds: [[1, 'green']], words: ['away', 'up'] }),
      ],
    ],
    [
      'Messages',
      [
        lines('Messages', 'Messages taken into timelines, and those that were refused, a second.', 'mps', [
          ['sum(rate(messages_received_total[$__rate_interval]))', 'taken'],
          ['sum(rate(commands_refused_total{code="unavailable"}[$__rate_interval]))', 'refused: unavailable'],
        ]),
        lines('Deliveries', 'Messages put on the queues of members, a second: each message once for every member of its room.', 'mps', [
          ['sum by (instance) (rate(messages_delivered_total[$__rate_interval]))', '{{instance}}'],
        ], { stack: true }),
        lines('Delivery time', 'From taking a message to writing it to a member\'s socket. The line is the objective.', 's', [
          [quantile(0.5, 'message_delivery_seconds'), 'p50'],
          [quantile(0.99, 'message_delivery_seconds'), 'p99'],
          [quantile(0.999, 'message_delivery_seconds'), 'p99.9'],
        ], { thresholds: [[1, 'red']] }),
        lines('Deliveries over a second', 'Of all deliveries. The objective is 0.1 % over 30 days, which is the line; at 14.4 times that for an hour somebody is paged.', 'percentunit', [
          ['cluster:message_delivery_seconds:slow_ratio_rate5m', '5 minutes'],
          ['cluster:message_delivery_seconds:slow_ratio_rate1h', '1 hour'],
          ['cluster:message_delivery_seconds:slow_ratio_rate3d', '3 days'],
        ], { thresholds: [[0.001, 'orange'], [0.0144, 'red']] }),
        lines('Between nodes', 'Half of the time to another node and back through Redis: the slowest way.', 's', [
          ['max(canary_delivery_seconds)', 'slowest'],
          ['avg(canary_delivery_seconds)', 'mean'],
        ], { thresholds: [[0.5, 'orange']] }),
        lines('Members a message', 'How many members get a message.', 'short', [
          [quantile(0.5, 'message_fan_out'), 'p50'],
          [quantile(0.99, 'message_fan_out'), 'p99'],
        ]),
      ],
    ],
    [
      'People',
      [
        lines('Connections', 'Open WebSockets, by node.', 'short', [['sum by (instance) (websocket_connections_active)', '{{instance}}']], { stack: true }),
        lines('Comings and goings', 'WebSockets opened and closed, a second.', 'cps', [
          ['sum(rate(websocket_connects_total[$__rate_interval]))', 'opened'],
          ['sum(rate(websocket_closes_total[$__rate_interval]))', 'closed'],
        ]),
        lines('Coming back', 'Clients that resumed, a second: with all they missed, with a gap, or without anything.', 'cps', [
          ['sum by (outcome) (rate(resumes_total[$__rate_interval]))', '{{outcome}}'],
        ], { stack: true }),
      ],
    ],
    [
      'HTTP',
      [
        lines('Requests', 'Answers by status, without health checks and metrics.', 'reqps', [
          [`sum by (status) (rate(http_requests_total{${user}}[$__rate_interval]))`, '{{status}}'],
        ], { stack: true }),
        lines('Failing requests', 'Answers with a 5xx status, of all. From 5 % on somebody is paged.', 'percentunit', [
          ['job:http_requests:error_ratio_rate5m{job=~"$job"}', '{{job}}'],
        ], { thresholds: [[0.05, 'red']] }),
        lines('Answer time', 'The slowest answer of a hundred, by service.', 's', [
          ['job:http_request_duration_seconds:p99_rate5m{job=~"$job"}', '{{job}}'],
        ], { thresholds: [[1, 'orange']] }),
      ],
    ],
    [
      'Processes',
      [
        lines('Processes that answer', 'Processes whose metrics can be read.', 'short', [['sum by (job) (up{job=~"$job"})', '{{job}}']]),
        lines('Versions', 'Processes by version: two at once are a deploy that goes on.', 'short', [
          ['count by (job, version) (app_build_info{job=~"$job"})', '{{job}} {{version}}'],
        ]),
        lines('Processors', 'Processors in use, by process.', 'short', [
          ['rate(process_cpu_seconds_total{job=~"$job"}[$__rate_interval])', '{{job}} {{instance}}'],
        ]),
      ],
    ],
  ],
});
