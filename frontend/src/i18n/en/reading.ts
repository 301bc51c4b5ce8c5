import { plural } from '../plural';

const number = new Intl.NumberFormat('en');
const messages = (count: number) =>
  `${number.format(count)} new ${plural(count, 'message', 'messages')}`;
const range = (from: number, to: number) =>
  from === to
    ? `Message ${number.format(from)} is`
    : `Messages ${number.format(from)}–${number.format(to)} are`;

export const reading = {
  rooms: 'Rooms',
  peopleHere: 'People',
  leave: 'Leave the room',
  joinByNumber: 'Others can join by this number',
  log: 'Messages',
  today: 'Today',
  yesterday: 'Yesterday',
  older: 'Older messages',
  loading: 'Loading…',
  noOlder: 'Older messages are no longer available.',
  begins: (room: string) => `This is where ${room} begins.`,
  quiet: 'It is quiet in here',
  invite: (number: number) => `Say something, or share the number #${number} to invite others.`,
  missing: (from: number, to: number) => `${range(from, to)} missing`,
  lost: (from: number, to: number) => `${range(from, to)} no longer available`,
  load: 'Load',
  newLine: 'New messages',
  newMessages: messages,
  toNewest: 'To the newest',
  toFirstNew: (count: number) => `${messages(count)} above`,
  notFound: 'This message is no longer available.',

  somebody: 'Somebody',
  others: (count: number) => `${number.format(count)} others`,
  and: (list: string, last: string) => `${list} and ${last}`,
  joined: (who: string) => `${who} joined`,
  left: (who: string) => `${who} left`,
  renamed: (formerly: string, now: string) => `${formerly} is now ${now}`,
  restarted: 'This room started anew. What was said before is no longer available.',
  people: (count: number) => `${number.format(count)} ${plural(count, 'person', 'people')}`,
  typing: (names: readonly string[]) =>
    names.length > 2
      ? `${number.format(names.length)} people are typing`
      : `${names.join(' and ')} ${plural(names.length, 'is', 'are')} typing`,

  said: (who: string, body: string) => `${who}: ${body}`,
  mentioned: (who: string, body: string) => `${who} mentioned you: ${body}`,
  arrived: (count: number, who: string) => `${messages(count)} from ${who}`,
  rowLabel: (who: string, time: string, body: string) => `${who}, ${time}: ${body}`,
  you: 'You',
  deleted: 'deleted',

  members: 'People in this room',
  searchMembers: 'Search people',
  noMember: (query: string) => `Nobody here is called “${query}”.`,
  found: (count: number) => `${number.format(count)} found`,
  loadingMembers: (here: number, all: number) =>
    `${number.format(here)} of ${number.format(all)} loaded`,
  moreMembers: (count: number) => `and ${number.format(count)} more`,
  mention: (name: string) => `Mention ${name}`,
  tagYou: 'you',
  tagTyping: 'typing',
  tagReconnecting: 'reconnecting',
  member: (name: string, number: number) => `${name}, number ${number}`,

  notify: {
    title: (who: string, room: string) => `${who} in ${room}`,
    several: (count: number, room: string) => `${messages(count)} in ${room}`,
    sample: 'This is how a message is announced.',
    granted: 'This browser shows notifications.',
    default: 'The browser has not been asked yet.',
    denied: 'This browser refuses notifications from Roomful. Allow them in its site settings.',
    absent: 'This browser has no notifications for this page.',
    insecure: 'Browsers show notifications only for pages that came over HTTPS.',
  },
};
