import { useDash } from './dash.svelte';

/**
 * Reads now and then again and again, for as long as the component is there: not while the page is
 * hidden or paused, and never before the answer to the time before has come.
 */
export function repeat(everyMs: number, act: () => Promise<unknown>): void {
  const dash = useDash();
  $effect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over = false;
    const round = async () => {
      if (!document.hidden && !dash.paused) await act();
      if (!over) timer = setTimeout(() => void round(), everyMs);
    };
    timer = setTimeout(() => void round(), everyMs);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  });
}
