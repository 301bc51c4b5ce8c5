/** As in the `lang` and `dir` of the page. */
export const locale = { tag: 'en', dir: 'ltr' as 'ltr' | 'rtl' };
