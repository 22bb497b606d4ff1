import { byId, element } from '../element.js';
import { onSubmit } from '../form.js';
import { notify } from '../notice.js';
import { sentenceOf } from '../words.js';
import { claimsIn } from './claims.js';
import { emptied, opened } from './dialog.js';
import { amendUser, ChangedMeanwhile, isGone, loseRole, readUser } from './operations.js';
import { ABOUT_PASSWORD, asksForAdmin } from './password.js';
import { asked } from './question.js';
import { address, statusBadge, timeOr, waysIn } from './shown.js';
import { actionsOn, roleRemoval } from './user-actions.js';

/** @typedef {import('./operations.js').User} User */

/**
 * What an administrator decides by. That the user has signed in meanwhile changes nothing.
 *
 * @param {User} user
 */
const decidedBy = ({ email, name, roles, status, mfa, claims, password, passkeys, providers }) =>
  JSON.stringify([email, name, roles, status, mfa, claims, password, passkeys, providers]);

/**
 * One user in a dialog. `showRow` updates the row of the list, and `focusRow` finds it.
 *
 * @param {{ myId: string, reload: () => Promise<void>, showRow: (user: User) => void, focusRow: (id: string) => HTMLElement }} list
 */
export function userPanel({ myId, reload, showRow, focusRow }) {
  const dialog = byId('user', HTMLDialogElement);
  /**
   * Also finds what has left the page with the dialog: a role can be lost while a question is open.
   *
   * @param {string} name
   */
  const part = (name) => /** @type {HTMLElement} */ (dialog.querySelector(`#user-${name}`));
  const nameInput = byId('user-name', HTMLInputElement);
  const roleForm = byId('user-role-form', HTMLFormElement);
  const claimsField = claimsIn(byId('user-claims', HTMLTextAreaElement));
  /** @type {User} */
  let user;

  /** @param {string} text */
  const tell = (text) => {
    part('done').textContent = text;
  };

  /** @param {User} next */
  function show(next) {
    user = next;
    const isMe = user.id === myId;
    const isDisabled = user.status === 'disabled';
    const hasPasskeys = user.passkeys > 0;
    // A node of the last release says nothing of providers.
    const isLinked = user.providers?.length > 0;
    part('email').replaceChildren(address(user.email));
    part('you').hidden = !isMe;
    part('status').replaceChildren(statusBadge(user));
    part('verified').textContent = user.email_verified ? 'yes' : 'not yet';
    part('mfa').textContent = user.mfa ? 'on' : 'off';
    part('sessions').textContent = String(user.sessions);
    part('last-sign-in').replaceChildren(timeOr(user.last_login_at, 'never'));
    part('created').replaceChildren(timeOr(user.created_at));
    part('ways-in').replaceChildren(...waysIn(user));
    part('id').textContent = user.id;
    nameInput.value = user.name ?? '';
    claimsField.show(user.claims);
    part('roles').replaceChildren(...user.roles.map(roleItem));
    part('no-roles').hidden = user.roles.length > 0;
    part('disable').hidden = isDisabled;
    part('enable').hidden = !isDisabled;
    part('remove-factor').hidden = !user.mfa || isMe;
    part('remove-passkeys').hidden = !hasPasskeys || isMe;
    part('unlink-providers').hidden = !isLinked || isMe;
    part('own-ways-in').hidden = !isMe || !(user.mfa || hasPasskeys || isLinked);
    showRow(user);
  }

  /**
   * Changes the user, unless somebody else has changed it since it was shown here: then it is shown anew, and the
   * change is refused.
   *
   * @param {(user: User) => object} change
   */
  async function amend(change) {
    const latest = await readUser(user.id);
    const isChanged = decidedBy(latest) !== decidedBy(user);
    show(latest);
    if (isChanged) throw new ChangedMeanwhile();
    show(await amendUser(user.id, change(user)));
    if (user.id === myId && !user.roles.includes('admin'))
      loseRole('You have removed the role admin from your own account.');
  }
  const reread = async () => show(await readUser(user.id));

  /** @param {string} text */
  async function leave(text) {
    document.querySelector('dialog#question')?.remove();
    dialog.close();
    await reload();
    focusRow(user.id).focus();
    notify(text);
  }
  /**
   * Does something with the user. If somebody else has deleted it, the panel closes.
   *
   * @param {() => Promise<unknown>} work
   */
  async function unlessGone(work) {
    try {
      await work();
    } catch (error) {
      if (!isGone(error)) throw error;
      await leave('Somebody else has deleted this user in the meantime.');
    }
  }
  /** @param {import('./user-actions.js').Action} action */
  async function ask({ done, act, text, ...question }) {
    tell('');
    const mine = user.id === myId ? ['This is your own account. '] : [];
    const isDone = await asked(
      {
        ...question,
        text: [...mine, ...text],
        act: (password) => unlessGone(() => act({ user, amend, reread, leave, password })),
      },
      () => (dialog.open ? part('email') : undefined),
    );
    if (isDone && dialog.open) tell(done);
  }

  /** @param {string} role */
  function roleItem(role) {
    const button = element(
      'button',
      { type: 'button', class: 'link', 'aria-label': `Remove the role ${role}` },
      'Remove',
    );
    button.addEventListener('click', () => ask(roleRemoval(role)));
    return element('li', {}, element('span', {}, role), button);
  }

  asksForAdmin(byId('user-role', HTMLInputElement), byId('user-password', HTMLInputElement));
  onSubmit(
    roleForm,
    ({ role = '', password }) =>
      unlessGone(async () => {
        const added = role.trim();
        if (!user.roles.includes(added))
          await amend(({ roles }) => ({
            roles: [...roles, added],
            ...(password && { password }),
          }));
        emptied(roleForm);
        tell(`The user has the role ${added}. It is in the tokens after the next refresh.`);
      }),
    ABOUT_PASSWORD,
  );
  onSubmit(byId('user-name-form', HTMLFormElement), ({ name = null }) =>
    unlessGone(async () => {
      await amend(() => ({ name: name?.trim() || null }));
      tell('The name is saved.');
    }),
  );
  onSubmit(byId('user-claims-form', HTMLFormElement), () =>
    unlessGone(async () => {
      const { claims, putBack } = claimsField.given();
      await amend(() => ({ claims })).catch((error) => {
        // What was typed is still there to be corrected.
        if (!(error instanceof ChangedMeanwhile)) putBack();
        throw error;
      });
      tell('The claims are saved. They are in the tokens after the next refresh.');
    }),
  );
  for (const [name, actionOn] of Object.entries(actionsOn))
    part(name).addEventListener('click', () => ask(actionOn(user)));

  return {
    /** @param {string} id */
    open: async (id) => {
      tell('');
      notify('');
      try {
        show(await readUser(id));
      } catch (error) {
        if (isGone(error)) await reload();
        notify(sentenceOf(error), 'error');
        return;
      }
      await opened(dialog, () => focusRow(id));
    },
  };
}
