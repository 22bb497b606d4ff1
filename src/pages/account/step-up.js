import { element } from '../element.js';
import { passkeys, whatWentWrong } from '../passkeys.js';
import { providerLink } from '../providers.js';
import { client, GivenUp, urlOf } from '../session.js';
import { ask } from './dialog.js';
import { codeField, codeProof, passwordFields } from './fields.js';

/** A button that proves it with a passkey, and then closes the dialog around it.
 *
 * @param {() => void} onProven
 */
function passkeyButton(onProven) {
  const fault = element('p', { class: 'error', role: 'alert' });
  const button = element('button', { type: 'button', class: 'button plain full' }, 'Use a passkey');
  button.addEventListener('click', async () => {
    fault.textContent = '';
    try {
      await passkeys.verify();
    } catch (error) {
      fault.textContent = whatWentWrong(error);
      return;
    }
    onProven();
    button.closest('dialog')?.close();
  });
  return element('div', { class: 'proof' }, button, fault);
}

/**
 * Asks for the password (with a second factor: for a code) or a passkey, or to sign in again with a linked provider. A user without a password can also sign
 * out, and sign in again in any way. Rejects with GivenUp.
 *
 * @param {import('./section.js').State} state
 */
export async function confirmIdentity({ me, passkeys: own, identities }) {
  let isProven = false;
  const byPassword = {
    fields: passwordFields(me.email),
    action: 'Go on',
    send: async ({ password = '' }) => {
      await client.verify({ password });
      isProven = true;
    },
  };
  const byCode = {
    fields: [codeField()],
    action: 'Go on',
    /** @param {Record<string, string>} values */
    send: async (values) => {
      await client.verify(codeProof(values));
      isProven = true;
    },
  };
  const byNewSignIn = {
    fields: [],
    action: 'Sign out and sign in again',
    send: () => client.logout(),
  };
  const withoutCode = me.password ? byPassword : byNewSignIn;
  const way = me.mfa ? byCode : withoutCode;
  await ask({
    title: 'Confirm that it is you',
    text: [
      element('p', {}, 'This needs a recent proof of who you are.'),
      ...(passkeys.isSupported && own.length > 0
        ? [
            passkeyButton(() => {
              isProven = true;
            }),
          ]
        : []),
      ...identities
        .filter(({ linked }) => linked)
        .map((identity) =>
          element(
            'p',
            { class: 'proof' },
            providerLink(identity, urlOf('account'), 'Sign in again with'),
          ),
        ),
    ],
    ...way,
    errors: {
      wrong_password: 'password',
      wrong_code: 'code',
      throttled: me.mfa ? 'code' : 'password',
    },
  });
  if (!isProven) throw new GivenUp();
}
