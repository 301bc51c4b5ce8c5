import { tools as en } from './en/tools';
import { translated } from './index';

/** In the language of the page, which is known by the time that anything that uses them is loaded. */
export const tools = translated(en);
