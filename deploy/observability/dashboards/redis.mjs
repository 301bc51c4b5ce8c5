import { choice, dashboard, heat, lines, number, quantile } from './panels.mjs';

const one = 'job=~"$job", instance=~"$instance"';

export const redis = dashboard({
  uid: 'roomful-redis',
  title: 'Roomful: Redis',
  description: 'Redis as it describes itself, and as the processes see it.',
  choices: [
    choice('job', 'Service', 'redis_connected'),
    choice('instance', 'Process', 'redis_connected{job=~"$job"}'),
  ],
  rows: [
    [
      'As it describes itself',
      [
        number('Redis', 'Whether it answers the gateway.', 'short', 'max(redis_server_up)', { base: 'red', thresholds: [[1, 'green']], words: ['away', 'up'] }),
        number('Up for', 'Since it started.', 's', 'max(redis_server_uptime_seconds)', { base: 'orange', thresholds: [[300, 'green']] }),
        number('Append-only file', 'Whether it is on. Without it a restart loses what was acknowledged.', 'short', 'min(redis_server_aof_enabled)', { base: 'red', thresholds: [[1, 'green']], words: ['off', 'on'] }),
        number('Last write to disk', 'Whether it went well.', 'short', 'min(redis_server_aof_last_write_ok)', { base: 'red', thresholds: [[1, 'green']], words: ['failed', 'ok'] }),
        number('Memory', 'In use, of maxmemory. When that is reached no message is taken any more.', 'percentunit', 'max(redis_server_memory_used_bytes) / (max(redis_server_memory_max_bytes) > 0)', { thresholds: [[0.75, 'orange'], [0.9, 'red']], decimals: 1 }),
        number('Evicted keys', 'Within the last day. Must be 0: each was a timeline, or a membership.', 'short', 'max(increase(redis_server_evicted_keys_total[1d]))', { thresholds: [[1, 'red']], decimals: 0 }),
        lines('Memory', 'In use, and how much it may be.', 'bytes', [
          ['max(redis_server_memory_used_bytes)', 'used'],
          ['max(redis_server_memory_max_bytes)', 'maxmemory'],
        ]),
        lines('Commands', 'Commands that it has carried out, a second.', 'ops', [['max(rate(redis_server_commands_processed_total[$__rate_interval]))', 'commands']]),
        lines('Clients', 'Connections that it has, and those that it refused within five minutes.', 'short', [
          ['max(redis_server_connected_clients)', 'connected'],
          ['max(increase(redis_server_rejected_connections_total[5m]))', 'rejected'],
        ]),
      ],
    ],
    [
      'As the processes see it',
      [
        lines('Slowest command of a hundred', 'By operation. Redis syncs before it answers, which takes milliseconds.', 's', [
          [quantile(0.99, 'redis_command_duration_seconds', { by: 'operation', where: one }), '{{operation}}'],
        ], { thresholds: [[0.25, 'orange']] }),
        heat('Command time', 'How many commands took how long.', 's', `sum by (le) (increase(redis_command_duration_seconds_bucket{${one}}[$__rate_interval]))`),
        lines('Operations', 'What is asked of it, a second.', 'ops', [
          [`sum by (operation) (rate(redis_command_duration_seconds_count{${one}}[$__rate_interval]))`, '{{operation}}'],
        ], { stack: true }),
        lines('Errors', 'Commands that failed, by operation and error.', 'ops', [
          [`sum by (operation, error) (rate(redis_command_errors_total{${one}}[$__rate_interval]))`, '{{operation}} {{error}}'],
        ]),
        lines('Connected', 'Connections that are there, of each process: 1, or 0 while it is away.', 'short', [
          [`min by (instance, connection) (redis_connected{${one}})`, '{{instance}} {{connection}}'],
        ], { max: 1 }),
        lines('Reconnections', 'Connections made anew, within five minutes.', 'short', [
          [`sum by (instance, connection) (increase(redis_reconnects_total{${one}}[5m]))`, '{{instance}} {{connection}}'],
        ]),
        lines('Publish to hear', 'How long a process waits for what it publishes itself: the slowest of a hundred.', 's', [
          [`instance:redis_pubsub_lag_seconds:p99_rate5m{${one}}`, '{{job}} {{instance}}'],
        ], { thresholds: [[0.5, 'orange']] }),
        lines('Too late', 'Scripts that Redis refused since their time was over when it got to them, within five minutes.', 'short', [
          [`sum by (job, instance) (increase(redis_deadlines_refused_total{${one}}[5m]))`, '{{job}} {{instance}}'],
        ]),
        lines('Slowest command, by process', 'One slow process is that one\'s trouble; all of them are Redis\'.', 's', [
          [quantile(0.99, 'redis_command_duration_seconds', { by: 'job, instance', where: one }), '{{job}} {{instance}}'],
        ]),
      ],
    ],
  ],
});
