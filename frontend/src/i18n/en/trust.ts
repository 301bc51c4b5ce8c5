export const trust = {
  cannotChange: 'This message cannot be changed any more, or is not yours to change.',
  notKept: 'This browser cannot keep unsent messages: do not close the page before they are sent.',
  tooManyWait: 'Too many messages are waiting already. Wait until some of them are sent.',
};
