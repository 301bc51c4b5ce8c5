import type { Settings } from '../state/settings';

type Root = Pick<HTMLElement, 'dataset'> & { style: Pick<CSSStyleDeclaration, 'setProperty'> };

/** What the person chose goes before what the system says; tokens.css and base.css do the rest. */
export function dress(root: Root, settings: Settings, systemWantsContrast: boolean): void {
  const { theme, contrast, motion, hue } = settings;
  mark(root, 'theme', theme === 'system' ? null : theme);
  mark(root, 'contrast', contrast === 'more' || systemWantsContrast ? 'more' : null);
  mark(root, 'motion', motion === 'reduce' ? 'reduce' : null);
  mark(root, 'hue', hue === null ? null : 'own');
  root.style.setProperty('--accent-hue', hue === null ? null : `${hue}`);
}

function mark({ dataset }: Root, name: string, value: string | null): void {
  if (value === null) delete dataset[name];
  else dataset[name] = value;
}

/** The bar of the browser or of the installed page, in the colour of ours. */
export function paintBrowser(doc: Document): void {
  // The token is a pair, for light and dark: what is wanted is the one that is seen.
  const probe = doc.body.appendChild(doc.createElement('i'));
  probe.style.color = 'var(--surface)';
  const colour = getComputedStyle(probe).color;
  probe.remove();
  for (const meta of doc.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    // The one for the other theme of the system would win over what the person chose.
    meta.removeAttribute('media');
    meta.content = colour;
  }
}

/** Less than this is the browser's own bar that comes and goes. */
const KEYBOARD_PX = 120;

/**
 * How much of the page an on-screen keyboard covers. Most browsers make the page smaller for it
 * (interactive-widget in index.html); where they do not, the page makes itself smaller.
 */
export function covered(
  pageHeight: number,
  { height, scale }: Pick<VisualViewport, 'height' | 'scale'>,
): number {
  // Zoomed in by fingers, it is smaller for another reason.
  if (scale > 1.05) return 0;
  const hidden = pageHeight - height;
  return hidden > KEYBOARD_PX ? Math.round(hidden) : 0;
}
