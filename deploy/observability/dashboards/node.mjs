import { choice, dashboard, heat, lines, number, quantile } from './panels.mjs';

const one = 'job=~"$job", instance=~"$instance"';
const chat = 'instance=~"$instance"';
const rate = (metric, where = chat) => `rate(${metric}{${where}}[$__rate_interval])`;

export const node = dashboard({
  uid: 'roomful-node',
  title: 'Roomful: node',
  description: 'One process, or some of them, from the inside.',
  choices: [
    choice('job', 'Service', 'app_build_info'),
    choice('instance', 'Process', 'app_build_info{job=~"$job"}'),
  ],
  rows: [
    [
      'Process',
      [
        number('Up for', 'Since the process that started last did.', 's', `min(app_uptime_seconds{${one}})`, { base: 'blue' }),
        number('Draining', 'Processes that send their clients elsewhere and take no new ones.', 'short', `sum(draining{${chat}})`, { thresholds: [[1, 'orange']] }),
        number('File descriptors', 'In use, of those that are allowed: the process that has the fewest left.', 'percentunit', `max(process_open_fds{${one}} / process_max_fds{${one}})`, { thresholds: [[0.76, 'orange'], [0.85, 'red']], decimals: 1 }),
        number('HTTP connections', 'Open, without WebSockets.', 'short', `sum(http_connections{${one}})`, { base: 'blue' }),
        number('Threads', 'Of all processes that are chosen.', 'short', `sum(process_threads{${one}})`, { base: 'blue' }),
        number('Members', 'Memberships of clients that are connected here.', 'short', `sum(members_here{${chat}})`, { base: 'blue' }),
        lines('Processors', 'Processors in use.', 'short', [[rate('process_cpu_seconds_total', one), '{{job}} {{instance}}']]),
        lines('Memory', 'Resident memory.', 'bytes', [[`process_resident_memory_bytes{${one}}`, '{{job}} {{instance}}']]),
        lines('Event-loop lag', 'How late one turn in a hundred of the event loop is. From 0.1 s on people notice.', 's', [
          [`instance:event_loop_lag_seconds:p99_rate5m{${one}}`, '{{job}} {{instance}}'],
        ], { thresholds: [[0.1, 'orange']] }),
        lines('HTTP requests', 'Answers by route and status.', 'reqps', [
          [`sum by (path, status) (${rate('http_requests_total', one)})`, '{{path}} {{status}}'],
        ]),
        lines('HTTP answer time', 'The slowest answer of a hundred, by route.', 's', [
          [quantile(0.99, 'http_request_duration_seconds', { by: 'path', where: one }), '{{path}}'],
        ]),
        lines('Upgrades', 'Requests that became a raw socket, and WebSockets that were refused.', 'reqps', [
          [`sum by (instance) (${rate('http_upgrades_total', one)})`, '{{instance}}'],
          [`sum by (reason) (${rate('websocket_upgrades_refused_total')})`, 'refused: {{reason}}'],
        ]),
      ],
    ],
    [
      'Sockets',
      [
        lines('Connections', 'Open WebSockets.', 'short', [[`websocket_connections_active{${chat}}`, '{{instance}}']]),
        lines('Closes', 'By close code (docs/protocol.md has them); 0 is a peer that just went.', 'cps', [
          [`sum by (code) (${rate('websocket_closes_total')})`, '{{code}}'],
        ], { stack: true }),
        lines('Traffic', 'Bytes that came from WebSockets (in) and that they took (out).', 'Bps', [
          [rate('websocket_received_bytes_total'), 'in {{instance}}'],
          [rate('websocket_sent_bytes_total'), 'out {{instance}}'],
        ]),
        lines('Queued', 'Bytes that wait for clients which read slower than their rooms talk.', 'bytes', [
          [`websocket_queued_bytes{${chat}}`, '{{instance}}'],
        ]),
        lines('Too slow', 'Clients that were closed because they could not keep up, within five minutes.', 'short', [
          [`increase(slow_consumers_closed_total{${chat}}[5m])`, '{{instance}}'],
        ]),
        lines('At the gate', 'Clients that are being let in, that wait for it, and that are asked to come back later.', 'short', [
          [`sum(admissions_under_way{${chat}})`, 'under way'],
          [`sum(admissions_waiting{${chat}})`, 'waiting'],
          [`sum(${rate('admissions_refused_total')})`, 'refused a second'],
        ]),
      ],
    ],
    [
      'Messages',
      [
        heat('Delivery time', 'From taking a message to writing it to a member\'s socket: how many deliveries took how long.', 's', `sum by (le) (increase(message_delivery_seconds_bucket{${chat}}[$__rate_interval]))`),
        lines('Slowest delivery of a hundred', 'By node. A quarter of a second is where a conversation stops feeling immediate.', 's', [
          [`instance:message_delivery_seconds:p99_rate5m{${chat}}`, '{{instance}}'],
        ], { thresholds: [[0.25, 'orange'], [1, 'red']] }),
        heat('Fan-out', 'How many members a message went to.', 'short', `sum by (le) (increase(message_fan_out_bucket{${chat}}[$__rate_interval]))`),
        lines('Taken and delivered', 'Messages taken into timelines, and put on queues of members.', 'mps', [
          [rate('messages_received_total'), 'taken {{instance}}'],
          [rate('messages_delivered_total'), 'delivered {{instance}}'],
        ]),
        lines('Refused commands', 'Commands answered with ERROR, by its code.', 'ops', [
          [`sum by (code) (${rate('commands_refused_total')})`, '{{code}}'],
        ]),
        lines('Resumes', 'Clients that came back: with all they missed, with a gap, or without anything.', 'cps', [
          [`sum by (outcome) (${rate('resumes_total')})`, '{{outcome}}'],
        ], { stack: true }),
      ],
    ],
    [
      'Cluster',
      [
        lines('Canary', 'Half of the time to another node and back.', 's', [[`canary_delivery_seconds{${chat}}`, '{{instance}} to {{node}}']], { thresholds: [[0.5, 'orange']] }),
        lines('Canary\'s silence', 'Since another node answered last. It is asked every 10 s.', 's', [[`canary_silence_seconds{${chat}}`, '{{instance}} of {{node}}']], { thresholds: [[22, 'orange'], [30, 'red']] }),
        lines('Rooms heard', 'Rooms that a node hears, for it has members of them.', 'short', [[`rooms_heard{${chat}}`, '{{instance}}']]),
        lines('Leases', 'Within five minutes: nodes and members whose time ran out and who were taken over, and nodes that found out they were taken for dead.', 'short', [
          [`sum(increase(node_leases_reaped_total{${chat}}[5m]))`, 'nodes reaped'],
          [`sum(increase(members_reaped_total{${chat}}[5m]))`, 'members reaped'],
          [`sum(increase(node_fenced_total{${chat}}[5m]))`, 'fenced'],
        ]),
        lines('Timelines', 'Within five minutes: rooms that were read again since a position was missing, and rooms whose positions were lost. The latter must stay 0.', 'short', [
          [`sum(increase(timeline_repairs_total{${chat}}[5m]))`, 'repaired'],
          [`sum(increase(timeline_epochs_renewed_total{${chat}}[5m]))`, 'epochs renewed'],
        ]),
        lines('Doubts', 'Connections that were compared with the directory, within five minutes, since an answer or an order may have been lost.', 'short', [
          [`sum by (instance) (increase(connection_doubts_total{${chat}}[5m]))`, '{{instance}}'],
        ]),
      ],
    ],
  ],
});
