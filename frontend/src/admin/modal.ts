import { modal as open } from '../chat/modal';

/**
 * As in the chat. The browser gives the focus back to what opened the dialog; when that went with
 * what the dialog did, the view's heading has it, so that the keyboard goes on from there.
 */
export function modal(dialog: HTMLDialogElement): () => void {
  const close = open(dialog);
  return () => {
    close();
    setTimeout(keepFocus);
  };
}

export function keepFocus(): void {
  const { activeElement } = document;
  if (activeElement !== null && activeElement !== document.body) return;
  document.querySelector<HTMLElement>('main h1')?.focus();
}
