import type { Rolldown } from 'vite';

/**
 * Keeps what the page needs from the start in one file. Left to itself, the bundler makes a file of its own of whatever a
 * part that is loaded later has in common with it: the same code in several files is larger, compressed.
 */
export function initialChunk(
  name: string,
): (id: string, context: Rolldown.ChunkingContext) => string | null {
  return (id, context) => {
    // Upwards through what imports it statically. Modules import each other in circles.
    const seen = new Set([id]);
    for (const one of seen) {
      const module = context.getModuleInfo(one);
      if (module?.isEntry) return name;
      for (const importer of module?.importers ?? []) seen.add(importer);
    }
    return null;
  };
}
