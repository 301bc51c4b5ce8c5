import { plural } from '../plural';

export const rooms = {
  rooms: 'Rooms',
  hello: (name: string) => `Hello, ${name}`,
  choose: 'Choose a room and start talking.',
  returning: (room: string) => `Returning to ${room}…`,

  find: 'Find a room',
  recent: 'Recent',
  all: 'All rooms',
  number: 'Room number',
  noneMatches: 'No room matches.',
  searching: 'Looking through more rooms…',
  none: 'No rooms yet',
  noneHint: 'Create the first, and others will see it here.',
  looking: 'Looking for rooms…',
  waiting: 'Waiting for the server…',
  more: 'More rooms',
  found: (count: number) => `${count} ${plural(count, 'room', 'rooms')} found`,

  create: 'Create a room',
  createButton: 'Create',
  createHint: 'Its name',
  joinByNumber: 'Join by number',
  join: 'Join',
  digitsOnly: 'A room number has digits only, like 48213.',
  noSuch: (number: string) => `There is no such room: ${number}.`,

  yourName: 'Your name',
  nameFirst: 'Please write a name first.',

  removed: (name: string) => `You were taken out of ${name}.`,
  closed: (name: string) => `${name} was closed by an administrator.`,
  gone: (name: string) =>
    `${name} is not there any more. A room ends when its last member has gone.`,
  numbered: (number: number) => `Room ${number}`,

  still: (room: string) => `You are still in ${room}.`,
  goTo: (room: string) => `Return to ${room}`,

  share: 'Share this room',
};
