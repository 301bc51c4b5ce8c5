/**
 * A part of the page that is loaded when somebody wants it. What could not be loaded, with no network or from a server
 * that has a newer page, is tried again when it is wanted again.
 */
export function lazy<T>(load: () => Promise<T>): { readonly it: T | undefined; want(): void } {
  let found = $state.raw<T>();
  let loading = false;
  return {
    get it() {
      return found;
    },
    want() {
      if (found || loading) return;
      loading = true;
      load()
        .then((part) => (found = part))
        .catch(() => {})
        .finally(() => (loading = false));
    },
  };
}
