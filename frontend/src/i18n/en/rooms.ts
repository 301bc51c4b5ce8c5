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
  exampleName: 'Ada',
  nameFirst: 'Please write a name first.',
  suggestion: (name: string) => `Use “${name}”`,
  another: 'Suggest another name',
  welcome: 'Welcome to Roomful',
  welcomeText: 'Rooms to talk in, right here. No account needed: what shall we call you?',
  nameHint: 'You can change it at any time.',
  start: 'Start',
  continueAs: (name: string) => `Continue as ${name}`,
  connecting: 'Connecting…',
  invited: (room: string) => `You have a link to ${room}. Choose a name first.`,
  aRoom: 'a room',
  changeName: 'Change your name',
  renameHint: 'Everybody in your room will see the change.',

  removed: (name: string) => `You were taken out of ${name}.`,
  closed: (name: string) => `${name} was closed by an administrator.`,
  gone: (name: string) =>
    `${name} is not there any more. A room ends when its last member has gone.`,
  numbered: (number: number) => `Room ${number}`,

  linkTo: 'You have a link to this room',
  lookingUp: 'Looking the room up…',
  members: (count: string) => `${count} in it now`,
  oneRoom: (room: string) =>
    `You are in one room at a time: joining takes you out of ${room}. You can come back while others are there.`,
  lastOne: (room: string) =>
    `You are in one room at a time, and you are alone in ${room}: joining ends it.`,
  stay: (room: string) => `Stay in ${room}`,
  otherRooms: 'Other rooms',
  noneTitle: (number: string) => `There is no room #${number}`,
  noneText:
    'It may have ended: a room does when its last member has gone. Ask who sent you the link, or create a room and send them yours.',
  uncertain: 'The server did not say what room this is. You can still try to join.',

  moved: (left: string, here: string) =>
    `You are in one room at a time: you left ${left} for ${here}.`,
  goBack: 'Go back',
  goneBack: (room: string) => `${room} has ended, so there is no way back.`,
  still: (room: string) => `You are still in ${room}.`,
  goTo: (room: string) => `Return to ${room}`,

  share: 'Share this room',
};
