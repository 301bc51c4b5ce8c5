import { en } from './en';

/** Every text that the page shows, in one language. Texts with something in them are functions. */
export type Messages = typeof en;

/** The language in use. Set once, before anything is drawn; components read it when they are drawn. */
export let t: Messages = en;

/** As in the `lang` and `dir` of the page. */
export const locale = { tag: 'en', dir: 'ltr' as 'ltr' | 'rtl' };

export function speak(messages: Messages, tag: string, dir: 'ltr' | 'rtl'): void {
  t = messages;
  locale.tag = tag;
  locale.dir = dir;
}
