/** What the build tells its service worker (build/service_worker.ts). */
declare module 'virtual:shell' {
  /** Paths of all files of the chat page, but for the page itself. */
  export const files: readonly string[];
  /** Another one for each build that differs. */
  export const version: string;
}
