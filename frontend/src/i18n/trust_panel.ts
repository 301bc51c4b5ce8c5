import { trustPanel as english } from './en/trust_panel';

/** Loaded with the panels, and not with the page. */
export const trustPanel = english;
