export interface PageRead<Row> {
  rows: readonly Row[];
  cursor: string | null;
  total?: number;
}

/** A search looks at so many pages before it asks whether to go on. */
const PAGES_MAX = 20;

/**
 * Reads on until there are `want` rows or no more pages: a page of a search may be empty and yet
 * not be the last. `cursor` of the answer is where to go on.
 */
export async function collect<Row>(
  read: (cursor: string | null) => Promise<PageRead<Row>>,
  from: string | null,
  want: number,
): Promise<PageRead<Row>> {
  const rows: Row[] = [];
  let cursor = from;
  for (let page = 1; ; page += 1) {
    const answer = await read(cursor);
    rows.push(...answer.rows);
    const stuck = answer.cursor === cursor;
    cursor = answer.cursor;
    if (rows.length >= want || cursor === null || stuck || page >= PAGES_MAX) {
      return {
        rows,
        cursor: stuck ? null : cursor,
        ...('total' in answer && { total: answer.total }),
      };
    }
  }
}

/** A row can slip from one page to the next between two reads. */
export function unique<Row>(rows: readonly Row[], key: (row: Row) => string | number): Row[] {
  return [...new Map(rows.map((row) => [key(row), row])).values()];
}
