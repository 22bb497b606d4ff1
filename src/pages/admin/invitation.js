import { byId } from '../element.js';
import { onSubmit } from '../form.js';
import { notify } from '../notice.js';
import { opened } from './dialog.js';
import { inviteUser } from './operations.js';
import { ABOUT_PASSWORD, asksForAdmin } from './password.js';
import { rolesIn } from './shown.js';

/** The dialog that invites a user.
 *
 * @param {() => Promise<void>} reload
 */
export function wireInvitation(reload) {
  const dialog = byId('invitation', HTMLDialogElement);
  asksForAdmin(
    byId('invitation-roles', HTMLInputElement),
    byId('invitation-password', HTMLInputElement),
  );
  onSubmit(
    byId('invitation-form', HTMLFormElement),
    async ({ roles, ...fields }) => {
      const { email } = await inviteUser({ ...fields, roles: rolesIn(roles) });
      dialog.close();
      await reload();
      notify(`Invited ${email}. A mail with a link is on its way.`);
    },
    { ...ABOUT_PASSWORD, email_taken: 'email' },
  );
  byId('invite', HTMLButtonElement).addEventListener('click', () => opened(dialog));
}
