/** What a message says, as a tree of what is to be drawn. Nothing in it is markup. */
export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'strong'; of: Inline[] }
  | { kind: 'em'; of: Inline[] }
  | { kind: 'strike'; of: Inline[] }
  /** `host` is set where the text does not show where the link leads. */
  | { kind: 'link'; href: string; host?: string; of: Inline[] }
  | { kind: 'mention'; name: string }
  /** `at` is a position in the room's timeline. */
  | { kind: 'room'; roomId: number; at?: number };

export type Block =
  | { kind: 'text'; of: Inline[] }
  | { kind: 'code'; lang: string; text: string }
  | { kind: 'quote'; of: Block[] }
  | { kind: 'list'; start?: number; items: Block[][] };

/** What is a mention or a link to a room depends on who and where one is. */
export interface Surroundings {
  /** Names of people who can be mentioned, in lower case. */
  names: ReadonlySet<string>;
  /** Where this page came from, like `https://chat.example`. */
  origin: string;
}
