import { element, foreign } from '../element.js';

/** An address, which breaks before its @ if it must.
 *
 * @param {string} email
 */
export function address(email) {
  const at = email.lastIndexOf('@');
  return element('bdi', {}, email.slice(0, at), element('wbr'), email.slice(at));
}

const format = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/**
 * A time of the API in the time zone of the browser, or `otherwise` if it is null.
 *
 * @param {string | null} time
 * @param {string} [otherwise]
 */
export const timeOr = (time, otherwise = '') =>
  time === null ? otherwise : element('time', { datetime: time }, format.format(new Date(time)));

/** @param {import('./operations.js').User} user */
export const statusBadge = ({ status }) =>
  element('span', { class: status === 'active' ? 'badge ok' : 'badge error' }, status);

/** How a user signs in: "password, 2 passkeys, Google".
 *
 * @param {import('./operations.js').User} user
 * @returns {(Node | string)[]}
 */
export function waysIn({ password, passkeys, providers = [] }) {
  const ways = [
    ...(password ? ['password'] : []),
    ...(passkeys > 0 ? [passkeys === 1 ? '1 passkey' : `${passkeys} passkeys`] : []),
    ...providers.map(foreign),
  ];
  // A code by mail is always a way in.
  if (ways.length === 0) return ['a code by mail only'];
  return ways.flatMap((way, index) => (index > 0 ? [', ', way] : [way]));
}

/** @param {string[]} roles */
export const rolesList = (roles) =>
  // Without its bullets Safari does not call a list a list, unless it has the role.
  element(
    'ul',
    { class: 'chips', role: 'list' },
    ...roles.map((role) => element('li', { class: 'badge' }, role)),
  );

/**
 * A cell of a table that turns into cards on a phone, where its label stands above it.
 *
 * @param {string} label
 * @param {...(Node | string)} content
 */
export const cell = (label, ...content) => element('td', { 'data-label': label }, ...content);

/** `editor, reports:read` as a list.
 *
 * @param {string} [text]
 */
export const rolesIn = (text = '') => [...new Set(text.split(/[\s,]+/).filter(Boolean))];
