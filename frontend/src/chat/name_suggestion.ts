import type { Random } from '../net/clock';

/** Of at most 7 and 8 letters, so that both and the space between them make 16, the shortest limit there is. */
const FIRST = (
  'Amber Bold Brave Bright Calm Clever Cosy Curious Eager Fair Gentle Glad Golden Happy Jolly Keen ' +
  'Kind Lively Lucky Merry Mellow Nimble Patient Quick Quiet Silver Sunny Swift Warm Wise'
).split(' ');
const SECOND = (
  'Badger Bear Beaver Cricket Crane Dolphin Falcon Ferret Finch Fox Gecko Hare Heron Ibis Koala ' +
  'Lark Lemur Lynx Marmot Marten Otter Owl Panda Puffin Raven Robin Seal Sparrow Turtle Wren'
).split(' ');

/** A friendly name for somebody who has none in mind; the same for the same `random`. */
export function suggestName(random: Random): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)] ?? words[0];
  return `${pick(FIRST)} ${pick(SECOND)}`;
}
