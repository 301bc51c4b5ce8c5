import { en } from './en';
import { locale } from './locale';

export { locale };

/** Every text that the page shows, in one language. Texts with something in them are functions. */
export type Messages = typeof en;

/** The language in use. Set once, before anything is drawn; components read it when they are drawn. */
export let t: Messages = en;

export function speak(messages: Messages, tag: string, dir: 'ltr' | 'rtl'): void {
  t = messages;
  locale.tag = tag;
  locale.dir = dir;
}

interface Language {
  tag: string;
  dir: 'ltr' | 'rtl';
  /** Read when it is chosen, so that nobody loads a language for somebody else. */
  load(): Promise<Translate>;
}

/** A catalogue, or the part of one that was not loaded with the page, in another language. */
type Translate = <Texts>(english: Texts) => Texts;

/** The first is what everybody gets who asks for none of the others. */
export const LANGUAGES: readonly Language[] = [
  { tag: 'en', dir: 'ltr', load: () => Promise.resolve((english) => english) },
  { tag: 'ar-XB', dir: 'rtl', load: async () => (await import('./mirrored')).mirrored },
];

export let translated: Translate = (english) => english;

/**
 * Starts to speak the first of these languages that there is: the address's, then what the person
 * chose, then the browser's. One that cannot be loaded is no reason to show no page.
 */
export async function chooseLanguage(
  wanted: readonly (string | null)[],
  root: Pick<HTMLElement, 'lang' | 'dir'>,
): Promise<void> {
  const found = wanted.flatMap((tag) => LANGUAGES.find((language) => language.tag === tag) ?? []);
  const { tag, dir, load } = found[0] ?? LANGUAGES[0]!;
  try {
    translated = await load();
    speak(translated(en), tag, dir);
  } catch {
    speak(en, 'en', 'ltr');
  }
  root.lang = locale.tag;
  root.dir = locale.dir;
}
