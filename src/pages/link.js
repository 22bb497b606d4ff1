/** The token of the mailed link. Only in memory: out of the address bar, so out of the history and of a copied address. */
const [, found] = /^#token=([\w.-]+)$/.exec(location.hash) ?? [];
history.replaceState(null, '', location.pathname + location.search);
// Another link, opened in this tab.
addEventListener('hashchange', () => location.reload());

export const token = found;

/**
 * A claim that the token shows, unverified: only for a text on this page.
 *
 * @param {'sub' | 'email'} claim
 * @returns {string}
 */
export function shownClaim(claim) {
  try {
    const [, payload = ''] = (token ?? '').split('.');
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    );
    return String(JSON.parse(new TextDecoder().decode(bytes))[claim] ?? '');
  } catch {
    return '';
  }
}
