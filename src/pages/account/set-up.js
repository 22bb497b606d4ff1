import { call } from '../api.js';
import { button } from '../button.js';
import { copy } from '../copy.js';
import { element } from '../element.js';
import { holdPage, letPageGo } from '../leaving.js';
import { notify } from '../notice.js';
import { codeOf } from '../words.js';
import { ask } from './dialog.js';
import { field, passwordFields } from './fields.js';
import { recoveryCodesStep } from './recovery-codes.js';
import { rememberUnsaved } from './unsaved-codes.js';

/** @typedef {{ secret: string, otpauth_uri: string, qr_svg: string }} Enrolment */

/** Groups of four, as people type a long code.
 *
 * @param {string} text
 */
const inFours = (text) => text.replace(/.{4}(?=.)/g, '$& ');

/**
 * The picture is an image, so a script in it would not run.
 *
 * @param {Enrolment} enrolment
 */
function pictureOf({ secret, otpauth_uri, qr_svg }) {
  const said = element('p', { class: 'hint', role: 'status' });
  return element(
    'div',
    { class: 'enrolment' },
    element('img', {
      src: `data:image/svg+xml,${encodeURIComponent(qr_svg)}`,
      alt: 'QR code for your authenticator app. The key below says the same.',
      class: 'qr',
      width: 240,
      height: 240,
    }),
    element(
      'div',
      {},
      element('p', {}, 'Or type this key into the app:'),
      element('p', { class: 'secret' }, inFours(secret)),
      element(
        'div',
        { class: 'tools' },
        button('Copy the key', () => copy(secret, said)),
        element('a', { href: otpauth_uri, class: 'button plain' }, 'Open my app'),
      ),
      said,
    ),
  );
}

/** @param {import('./section.js').Account} account */
export async function setUp(account) {
  const { me } = account.state;

  /** @param {string} [complaint] @returns {import('./dialog.js').Step} */
  const passwordStep = (complaint) => ({
    title: 'Set up a second factor',
    text: [
      ...(complaint ? [element('p', { class: 'notice error', role: 'alert' }, complaint)] : []),
      element(
        'p',
        {},
        'You need an authenticator app on your phone. From then on, signing in takes a code from the app too. A passkey needs none. Your other devices are signed out.',
      ),
    ],
    fields: passwordFields(me.email),
    action: 'Continue',
    errors: { wrong_password: 'password' },
    send: async ({ password }) => {
      const enrolment = await call('POST', 'v1/me/mfa/totp', { password });
      holdPage();
      return codeStep(/** @type {Enrolment} */ (enrolment));
    },
  });

  /** @param {Enrolment} enrolment @returns {import('./dialog.js').Step} */
  const codeStep = (enrolment) => ({
    title: 'Scan this with your app',
    text: [pictureOf(enrolment)],
    fields: [
      field({
        name: 'code',
        label: 'Code from the app',
        hint: 'The six digits that the app shows now.',
        inputmode: 'numeric',
        autocomplete: 'one-time-code',
        pattern: '\\s*([0-9]\\s*){6}',
        maxlength: 20,
        'data-missing': 'Enter the code from the app.',
        'data-invalid': 'The code has six digits.',
      }),
    ],
    action: 'Turn on',
    errors: { wrong_code: 'code' },
    send: async ({ code = '' }) => {
      // Before the answer: it may be lost.
      rememberUnsaved(me.id);
      try {
        const answer = await call('POST', 'v1/me/mfa/totp/confirm', {
          code: code.replace(/\s/g, ''),
        });
        const { recovery_codes } = /** @type {{ recovery_codes: string[] }} */ (answer);
        return recoveryCodesStep(recovery_codes, me.email);
      } catch (error) {
        if (codeOf(error) === 'mfa_not_enabled')
          return passwordStep(
            'There were too many wrong codes. Delete the entry from your app, then start again.',
          );
        // An earlier answer was lost, or another tab was first.
        if (codeOf(error) === 'mfa_enabled') return undefined;
        throw error;
      }
    },
  });

  const isDone = await ask(passwordStep());
  letPageGo();
  if (!isDone) return;
  await account.reload();
  notify('The second factor is on. Your other devices were signed out.');
}
