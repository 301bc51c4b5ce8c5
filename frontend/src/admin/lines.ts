/** How the lines of charts are told apart: by colour, and by dash for those who see no colours. */
const COLOURS = 8;
const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [8, 3, 2, 3]];

export interface LineStyle {
  /** A custom property of the stylesheet. */
  colour: string;
  dash: readonly number[];
}

function lineStyle(index: number): LineStyle {
  // Neighbours differ in both, and the first repetition is far away.
  return {
    colour: `--line-${(index % COLOURS) + 1}`,
    dash: DASHES[(index + Math.floor(index / COLOURS)) % DASHES.length]!,
  };
}

/** A node keeps its line for as long as the page is open, in every chart and whoever else comes or goes. */
export class Lines {
  readonly #styles = new Map<string, LineStyle>();

  of(nodeId: string): LineStyle {
    const style = this.#styles.get(nodeId) ?? lineStyle(this.#styles.size);
    this.#styles.set(nodeId, style);
    return style;
  }
}
