import { element } from './element.js';
import { client, urlOf } from './session.js';

/**
 * Fills the navigation in the header of a page for signed-in users. `roles` are those of the user.
 *
 * @param {{ current: 'account' | 'admin', roles: string[] }} options
 */
export function showNav({ current, roles }) {
  const nav = document.getElementById('nav');
  if (!nav) return;
  const pages = [
    { path: 'account', text: 'Account', isShown: true },
    { path: 'admin', text: 'Administration', isShown: roles.includes('admin') },
  ];
  const links = pages
    .filter(({ isShown }) => isShown)
    .map(({ path, text }) =>
      element('a', { href: urlOf(path), 'aria-current': path === current && 'page' }, text),
    );
  const signOut = element('button', { type: 'button', class: 'link' }, 'Sign out');
  // Without a network the client tells the service later; this page goes to the sign-in page at once.
  signOut.addEventListener('click', () => client.logout().catch(() => {}));
  nav.replaceChildren(...links, signOut);
  nav.hidden = false;
}
