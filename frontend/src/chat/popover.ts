const MARGIN = 8;

/**
 * Shows an element above everything, beside another one, for as long as it is on the page. The browser closes it on
 * Escape and on a click elsewhere, and `closed` hears of it. The focus goes back to where it came from. `finger` is the
 * pointer that is still down if a long press opened it.
 */
export function popover(
  anchor: HTMLElement,
  closed: () => void,
  finger?: number,
): (box: HTMLElement) => () => void {
  return (box) => {
    const toggled = (event: ToggleEvent) => event.newState === 'closed' && closed();
    box.popover = 'auto';
    box.addEventListener('toggle', toggled);
    box.showPopover();
    if (finger !== undefined) hold(box, finger);
    // What is in it may change, and with it its size.
    const observer = new ResizeObserver(() => place(box, anchor));
    observer.observe(box);
    place(box, anchor);
    return () => {
      observer.disconnect();
      box.removeEventListener('toggle', toggled);
      const focused =
        box.contains(document.activeElement) || document.activeElement === document.body;
      if (box.isConnected && box.matches(':popover-open')) box.hidePopover();
      if (focused) anchor.focus({ preventScroll: true });
    };
  };
}

/** Where a finger is lifted that opened the element would be elsewhere, and would close it. */
function hold(box: HTMLElement, finger: number): void {
  try {
    box.setPointerCapture(finger);
  } catch {
    // It is lifted already.
  }
}

function place(box: HTMLElement, anchor: HTMLElement): void {
  const { innerWidth: width, innerHeight: height } = window;
  const at = anchor.getBoundingClientRect();
  const { width: wide, height: high } = box.getBoundingClientRect();
  const below = at.bottom + 4;
  const top = below + high + MARGIN <= height ? below : at.top - high - 4;
  const left = document.dir === 'rtl' ? at.left : at.right - wide;
  const within = (value: number, most: number) => Math.max(MARGIN, Math.min(value, most - MARGIN));
  box.style.setProperty('--x', `${within(left, width - wide)}px`);
  box.style.setProperty('--y', `${within(top, height - high)}px`);
}
