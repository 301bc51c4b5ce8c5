import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { ticks, type Series } from './figures';
import type { LineStyle } from './lines';

export interface PlotOptions {
  line: (nodeId: string) => LineStyle;
  /** Of an axis and of the values. */
  format: (value: number) => string;
  /** The position under the pointer, in any of the charts; null when there is none. */
  hovered: (index: number | null) => void;
}

const HEIGHT = 150;
/** Between two times on the axis, in seconds. */
const STEPS = [60, 120, 300, 600, 900, 1_200, 1_800, 3_600];

/** uPlot in the colours of the page. It draws on a canvas, so it asks for colours instead of inheriting them. */
export class Plot {
  #plot: uPlot | null = null;
  #key = '';
  #series: Series = { times: [], nodes: [] };
  #spanMs = 0;
  readonly #resizes: ResizeObserver;

  constructor(
    private readonly host: HTMLElement,
    private readonly options: PlotOptions,
  ) {
    this.#resizes = new ResizeObserver(() => {
      const width = Math.floor(this.host.clientWidth);
      if (this.#plot && width > 0 && width !== this.#plot.width) {
        this.#plot.setSize({ width, height: HEIGHT });
      }
    });
    this.#resizes.observe(host);
  }

  show(series: Series, spanMs: number): void {
    this.#series = series;
    this.#spanMs = spanMs;
    const key = series.nodes.map(({ nodeId }) => nodeId).join(' ');
    if (!this.#plot || key !== this.#key) {
      this.#key = key;
      this.redraw();
      return;
    }
    this.#plot.setData(this.#data());
  }

  /** Anew, as when the colours of the page have changed. */
  redraw(): void {
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#describe(), this.#data(), this.host);
  }

  destroy(): void {
    this.#resizes.disconnect();
    this.#plot?.destroy();
    this.#plot = null;
  }

  #data(): uPlot.AlignedData {
    const { times, nodes } = this.#series;
    return [times.map((at) => at / 1000), ...nodes.map(({ values }) => values)];
  }

  #describe(): uPlot.Options {
    const { fontFamily } = getComputedStyle(this.host);
    const colour = (name: string) => resolved(this.host, name);
    const axis = {
      stroke: colour('--muted'),
      font: `11px ${fontFamily}`,
      grid: { stroke: colour('--grid'), width: 1 },
      ticks: { show: false },
    };
    return {
      width: Math.max(100, Math.floor(this.host.clientWidth)),
      height: HEIGHT,
      padding: [8, 6, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: 'overview' },
        drag: { x: false, y: false, setScale: false },
        points: { size: 6 },
        y: false,
      },
      scales: {
        x: {
          time: true,
          range: (_, __, max) => [(max ?? Date.now() / 1000) - this.#spanMs / 1000, max],
        },
        // From none, so that a small change looks small.
        y: { range: (_, __, max) => [0, ticks(max).at(-1)!] },
      },
      axes: [
        { ...axis, size: 24, gap: 6, space: 60, incrs: STEPS, values: clock },
        {
          ...axis,
          size: 52,
          gap: 6,
          splits: (_, __, ___, max) => ticks(max),
          values: (_, values) => values.map((value) => this.options.format(value)),
        },
      ],
      series: [
        {},
        ...this.#series.nodes.map(({ nodeId }) => {
          const line = this.options.line(nodeId);
          return {
            label: nodeId,
            stroke: colour(line.colour),
            dash: [...line.dash],
            width: 1.75,
            points: { show: false },
          };
        }),
      ],
      hooks: {
        setCursor: [({ cursor }) => this.options.hovered(cursor.idx ?? null)],
      },
    };
  }
}

/** A token is a pair for light and dark, which a canvas does not know: the one that is seen now. */
function resolved(host: HTMLElement, name: string): string {
  const probe = host.appendChild(document.createElement('i'));
  probe.style.color = `var(${name})`;
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const clock = (_: uPlot, seconds: number[]): string[] =>
  seconds.map((at) => CLOCK.format(at * 1000));
