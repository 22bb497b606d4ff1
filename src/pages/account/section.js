import { call } from '../api.js';
import { element } from '../element.js';

/**
 * An outside provider.
 *
 * @typedef {{ provider: string, name: string, linked: boolean }} Identity
 */

/**
 * What the page shows.
 *
 * @typedef {object} State
 * @property {{ id: string, email: string, email_verified: boolean, name: string | null, roles: string[], password: boolean, mfa: boolean, recovery_codes: number, created_at: string, last_login_at: string | null }} me
 * @property {{ id: string, client: string, amr: string[], created_at: string, refreshed_at: string, current: boolean }[]} sessions
 * @property {import('../client-passkeys.js').Passkey[]} passkeys
 * @property {Identity[]} identities
 */

/** @returns {Promise<Pick<State, 'sessions'>>} */
export const readSessions = () => call('GET', 'v1/me/sessions');

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
 * Moves the focus to the title of a section, when the button that had it has gone.
 *
 * @param {Section} section
 */
export const focusTitle = ({ node }) => node.querySelector('h2')?.focus();
