import type { Message } from '../state/model';

/** A message that the composer answers or changes. */
export interface Target {
  kind: 'reply' | 'edit';
  roomId: number;
  message: Message;
}

/** What a message asks of the composer; the page has one of these. */
class Compose {
  target = $state.raw<Target | null>(null);

  begin(kind: Target['kind'], roomId: number, message: Message): void {
    this.target = { kind, roomId, message };
  }

  end(): void {
    this.target = null;
  }
}

export const compose = new Compose();
