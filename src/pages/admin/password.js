import { rolesIn } from './shown.js';

/** The codes of refusals that belong beside the field `password`. */
export const ABOUT_PASSWORD = { wrong_password: 'password', throttled: 'password' };

/**
 * Shows the password field of a form only while the roles that are typed contain `admin`: this page always asks for it
 * then, also where the service would take a recent proof.
 *
 * @param {HTMLInputElement} roles
 * @param {HTMLInputElement} password
 */
export function asksForAdmin(roles, password) {
  const field = /** @type {HTMLElement} */ (password.closest('.field'));
  const update = () => {
    const isAsked = rolesIn(roles.value).includes('admin');
    field.hidden = !isAsked;
    // A disabled field is neither checked nor sent.
    password.disabled = !isAsked;
  };
  roles.addEventListener('input', update);
  // The form is reset when its event has ended.
  roles.form?.addEventListener('reset', () => queueMicrotask(update));
  update();
}
