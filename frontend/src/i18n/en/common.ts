import { locale } from '../locale';
import { plural } from '../plural';

/** Built when it is first asked for: the language is not known before. */
const number = (value: number): string => new Intl.NumberFormat(locale.tag).format(value);

export const common = {
  appName: 'Roomful',
  cancel: 'Cancel',
  close: 'Close',
  closeThing: (label: string) => `Close ${label.toLowerCase()}`,
  dismiss: 'Dismiss',
  save: 'Save',
  number,
  people: (count: number) => `${number(count)} ${plural(count, 'person', 'people')}`,
  /** Of a wait that goes down. */
  seconds: (count: number) => `${number(count)} s`,
  charactersOver: (count: number) => `${number(count)} too many`,
  atMost: (limit: number) => `At most ${number(limit)} characters, please.`,
};
