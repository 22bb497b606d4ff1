import { element } from '../element.js';
import { notify } from '../notice.js';
import { sentenceOf } from '../words.js';

/**
 * An outside provider.
 *
 * @typedef {{ provider: string, name: string, linked: boolean }} Identity
 */

/**
 * What the page shows.
 *
 * @typedef {object} State
 * @property {{ id: string, email: string, email_verified: boolean, name: string | null, roles: string[], mfa: boolean, recovery_codes: number, created_at: string, last_login_at: string | null }} me
 * @property {{ id: string, client: string, created_at: string, refreshed_at: string, current: boolean }[]} sessions
 * @property {import('../client-passkeys.js').Passkey[]} passkeys
 * @property {Identity[]} identities
 */

/**
 * What a section may ask of the page: what is shown now, and to load it again after a change.
 *
 * @typedef {object} Account
 * @property {State} state
 * @property {() => Promise<void>} reload
 * @property {() => void} bidFarewell when the account is gone
 */

/**
 * A part of the page. `show` is called after each load, and keeps the elements that can have the focus.
 *
 * @typedef {object} Section
 * @property {HTMLElement} node
 * @property {(state: State) => void} show
 */

/**
 * @param {string} id
 * @param {string} title
 * @param {...(Node | string)} children
 */
export const section = (id, title, ...children) =>
  element(
    'section',
    { id, class: 'card', 'aria-labelledby': `${id}-title` },
    element('h2', { id: `${id}-title`, tabindex: -1 }, title),
    ...children,
  );

/**
 * A button for something outside a form. It can be pressed again only when the work is done; what the work throws is said
 * above the page.
 *
 * @param {string} text
 * @param {() => Promise<unknown>} work
 * @param {string} [kind] its classes
 */
export function button(text, work, kind = 'button plain') {
  const made = element('button', { type: 'button', class: kind }, text);
  made.addEventListener('click', async () => {
    if (made.getAttribute('aria-disabled') === 'true') return;
    // Not `disabled`: the focus would be lost.
    made.setAttribute('aria-disabled', 'true');
    try {
      await work();
    } catch (error) {
      notify(sentenceOf(error), 'error');
    } finally {
      made.removeAttribute('aria-disabled');
    }
  });
  return made;
}

/**
 * Moves the focus to the title of a section, when the button that had it has gone.
 *
 * @param {Section} section
 */
export const focusTitle = ({ node }) => node.querySelector('h2')?.focus();

/** Text that somebody else wrote: its direction does not reach what stands beside it.
 *
 * @param {string} text
 */
export const foreign = (text) => element('bdi', {}, text);
