import { trustPanel as en } from './en/trust_panel';
import { translated } from './index';

/** Loaded with the panels, and not with the page. */
export const trustPanel = translated(en);
