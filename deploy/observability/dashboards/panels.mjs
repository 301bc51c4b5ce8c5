// What a dashboard is made of, in the form that Grafana reads: every panel says what it shows and in which unit, and asks
// whichever Prometheus is chosen.

const datasource = { type: 'prometheus', uid: '${datasource}' };

// Sides and heights are in columns of 24 and rows of 30 px.
const WIDTH = 24;
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Of thresholds: `[[0.8, 'orange'], [0.9, 'red']]` is green below 0.8. Colours are Grafana's, so that they fit each theme. */
const steps = (thresholds = [], base = 'green') => ({
  mode: 'absolute',
  steps: [{ color: base, value: null }, ...thresholds.map(([value, color]) => ({ color, value }))],
});

const targets = (queries, more) =>
  queries.map(([expr, legendFormat = '__auto'], n) => ({
    datasource,
    editorMode: 'code',
    expr,
    legendFormat,
    refId: letters[n],
    ...more,
  }));

/** Lines over time. `queries`: `[expression, legend]` each. A threshold is drawn as a line. */
export const lines = (title, description, unit, queries, { thresholds, stack = false, w = 8, min = 0, max } = {}) => ({
  type: 'timeseries',
  title,
  description,
  size: { w, h: 8 },
  datasource,
  fieldConfig: {
    defaults: {
      unit,
      min,
      ...(max === undefined ? {} : { max }),
      custom: {
        fillOpacity: stack ? 30 : 8,
        lineWidth: 1,
        showPoints: 'never',
        stacking: { mode: stack ? 'normal' : 'none', group: 'A' },
        thresholdsStyle: { mode: thresholds ? 'dashed' : 'off' },
      },
      color: { mode: 'palette-classic' },
      thresholds: steps(thresholds),
    },
    overrides: [],
  },
  options: {
    legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
    tooltip: { mode: 'multi', sort: 'desc' },
  },
  targets: targets(queries, { range: true }),
});

/** One number, coloured by its thresholds. */
export const number = (title, description, unit, expr, { thresholds, base, w = 4, words, decimals } = {}) => ({
  type: 'stat',
  title,
  description,
  size: { w, h: 4 },
  datasource,
  fieldConfig: {
    defaults: {
      unit,
      ...(decimals === undefined ? {} : { decimals }),
      color: { mode: 'thresholds' },
      thresholds: steps(thresholds, base),
      mappings: words
        ? [{ type: 'value', options: Object.fromEntries(words.map((text, value) => [value, { text, index: value }])) }]
        : [],
    },
    overrides: [],
  },
  options: {
    colorMode: 'value',
    graphMode: words ? 'none' : 'area',
    justifyMode: 'auto',
    orientation: 'auto',
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    textMode: 'auto',
  },
  targets: targets([[expr]], { range: true }),
});

/** How often each duration was seen, as a heat map over time. */
export const heat = (title, description, unit, expr, { w = 8 } = {}) => ({
  type: 'heatmap',
  title,
  description,
  size: { w, h: 8 },
  datasource,
  fieldConfig: { defaults: { unit, custom: { scaleDistribution: { type: 'linear' } } }, overrides: [] },
  options: {
    calculate: false,
    cellGap: 1,
    color: { mode: 'scheme', scheme: 'Oranges', exponent: 0.5, steps: 64, reverse: false },
    legend: { show: true },
    rowsFrame: { layout: 'auto' },
    tooltip: { mode: 'single', yHistogram: false },
    yAxis: { unit, axisPlacement: 'left' },
  },
  targets: targets([[expr, '{{le}}']], { format: 'heatmap', range: true }),
});

/** A percentile of a histogram over what `by` names. */
export const quantile = (q, metric, { by = '', where = '' } = {}) =>
  `histogram_quantile(${q}, sum by (${by}${by && ', '}le) (rate(${metric}_bucket{${where}}[$__rate_interval])))`;

/** A choice of one label's values; `series` has the label. */
export const choice = (name, label, series, of = name) => ({
  type: 'query',
  name,
  label,
  datasource,
  definition: `label_values(${series}, ${of})`,
  query: { qryType: 1, query: `label_values(${series}, ${of})`, refId: 'VariableQuery' },
  current: { selected: true, text: ['All'], value: ['$__all'] },
  allValue: '.+',
  includeAll: true,
  multi: true,
  // Nodes come and go: what can be chosen is asked for again when the time range changes.
  refresh: 2,
  sort: 1,
  hide: 0,
  skipUrlSync: false,
  options: [],
  regex: '',
});

/** A dashboard: `rows` are `[title, panels]`, and panels flow from left to right. */
export function dashboard({ uid, title, description, choices = [], rows }) {
  let id = 0;
  let y = 0;
  const panels = [];
  for (const [heading, members] of rows) {
    panels.push({ id: ++id, type: 'row', title: heading, collapsed: false, gridPos: { x: 0, y, w: WIDTH, h: 1 }, panels: [] });
    y += 1;
    let x = 0;
    let height = 0;
    for (const { size, ...panel } of members) {
      if (x + size.w > WIDTH) {
        x = 0;
        y += height;
        height = 0;
      }
      panels.push({ id: ++id, ...panel, gridPos: { x, y, ...size } });
      x += size.w;
      height = Math.max(height, size.h);
    }
    y += height;
  }
  return {
    uid,
    title,
    description,
    tags: ['roomful'],
    schemaVersion: 41,
    version: 1,
    editable: false,
    graphTooltip: 1,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    annotations: {
      list: [
        {
          // Where a process has started, on every graph: most of what changes, changes with a deploy.
          name: 'starts',
          datasource,
          enable: true,
          iconColor: 'blue',
          expr: 'changes(process_start_time_seconds[1m]) > 0',
          titleFormat: '{{job}} started',
          textFormat: '{{instance}}',
          step: '60s',
        },
      ],
    },
    links: [
      { type: 'dashboards', title: 'Roomful', tags: ['roomful'], asDropdown: true, keepTime: true, includeVars: false, icon: 'external link', targetBlank: false, tooltip: '', url: '' },
    ],
    templating: {
      list: [
        { type: 'datasource', name: 'datasource', label: 'Prometheus', query: 'prometheus', current: {}, refresh: 1, hide: 0, includeAll: false, multi: false, options: [], regex: '', skipUrlSync: false },
        ...choices,
      ],
    },
    panels,
  };
}
