import { byId, element, foreign } from '../element.js';
import { onSubmit } from '../form.js';
import { notify } from '../notice.js';
import { isRefusal } from '../words.js';
import { opened } from './dialog.js';
import {
  createServiceAccount,
  deleteServiceAccount,
  isGone,
  listServiceAccounts,
  renewServiceAccountSecret,
} from './operations.js';
import { pagedList } from './paged-list.js';
import { ABOUT_PASSWORD } from './password.js';
import { asked } from './question.js';
import { showSecret } from './secret.js';
import { cell, rolesIn, rolesList, timeOr } from './shown.js';

/** @typedef {import('./operations.js').ServiceAccount} ServiceAccount */
/** @typedef {import('./operations.js').ServiceAccountWithSecret} ServiceAccountWithSecret */

/** @param {string} text @param {ServiceAccount} account @param {(account: ServiceAccount) => unknown} press */
function buttonFor(text, account, press) {
  const label = `${text}: ${account.name}`;
  const button = element('button', { type: 'button', class: 'link', 'aria-label': label }, text);
  button.addEventListener('click', () => press(account));
  return button;
}

/** The list of service accounts, and what can be done with each. */
export async function serviceAccountsSection() {
  const create = byId('create-account', HTMLButtonElement);
  /** @type {string[]} */
  let cursors = [];
  const load = pagedList({
    name: 'accounts',
    noun: ['service account', 'service accounts'],
    position: {
      get: () => cursors,
      set: (next) => {
        cursors = next;
      },
    },
    read: async (cursor) => {
      const { service_accounts, next_cursor } = await listServiceAccounts({ cursor });
      return { rows: service_accounts, next: next_cursor };
    },
    show: (/** @type {ServiceAccount[]} */ accounts) =>
      byId('accounts-rows', HTMLTableSectionElement).replaceChildren(...accounts.map(rowFor)),
  });

  /**
   * True if it was done. An account that somebody else has deleted leaves the list.
   *
   * @param {() => Promise<unknown>} work
   */
  async function unlessGone(work) {
    try {
      await work();
      return true;
    } catch (error) {
      if (!isGone(error)) throw error;
      await load();
      notify('Somebody else has deleted this service account in the meantime.', 'warning');
      return false;
    }
  }

  /** @param {ServiceAccount} account */
  async function renew({ client_id, name }) {
    /** @type {ServiceAccountWithSecret | undefined} */
    let renewed;
    await asked(
      {
        title: 'Create a new secret?',
        text: [
          'For ',
          foreign(name),
          '. The present secret keeps working until you create another one after this, so that the program can change over without a pause. If a secret has leaked, create two new ones: then it no longer works.',
        ],
        action: 'Create new secret',
        password: true,
        act: async (password) => {
          try {
            await unlessGone(async () => {
              renewed = await renewServiceAccountSecret(client_id, { password });
            });
          } catch (error) {
            if (isRefusal(error)) throw error;
            // Two secrets work at a time: the next one would end the secret that the program has.
            notify(
              'A new secret may have been made. Creating another ends the present one.',
              'warning',
            );
          }
        },
      },
      () => create,
    );
    if (renewed) await showSecret(renewed);
  }

  /** @param {ServiceAccount} account */
  const remove = ({ client_id, name }) =>
    asked(
      {
        title: 'Delete this service account?',
        text: [
          'This deletes ',
          foreign(name),
          ' and its secrets. Access tokens that are in use are refused within a second. It cannot be undone.',
        ],
        action: 'Delete service account',
        act: async () => {
          if (!(await unlessGone(() => deleteServiceAccount(client_id)))) return;
          await load();
          notify('The service account is deleted.');
        },
      },
      () => create,
    );

  /** @param {ServiceAccount} account */
  const rowFor = (account) =>
    element(
      'tr',
      { 'data-id': account.client_id },
      element('th', { scope: 'row' }, foreign(account.name)),
      cell('Client ID', element('code', {}, account.client_id)),
      cell('Roles', account.roles.length > 0 ? rolesList(account.roles) : '–'),
      cell('Created', timeOr(account.created_at)),
      cell(
        'Actions',
        element(
          'div',
          { class: 'row-actions' },
          buttonFor('New secret', account, renew),
          buttonFor('Delete', account, remove),
        ),
      ),
    );

  const dialog = byId('new-account', HTMLDialogElement);
  /** @type {ServiceAccountWithSecret | undefined} */
  let created;
  onSubmit(
    byId('new-account-form', HTMLFormElement),
    async ({ roles, ...fields }) => {
      created = await createServiceAccount({ ...fields, roles: rolesIn(roles) });
      dialog.close();
    },
    ABOUT_PASSWORD,
  );
  create.addEventListener('click', async () => {
    created = undefined;
    await opened(dialog);
    if (created) await showSecret(created);
    // Even without an answer it may be there.
    await load();
  });
  await load();
}
