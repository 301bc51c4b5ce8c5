declare module 'virtual:emoji' {
  /** See `build/emoji.ts`. */
  const lines: string;
  export default lines;
}
