import { call } from '../api.js';
import { button } from '../button.js';
import { element } from '../element.js';
import { holdPage, letPageGo } from '../leaving.js';
import { notify } from '../notice.js';
import { isRefusal } from '../words.js';
import { ask } from './dialog.js';
import { codeField, codeProof, passwordFields } from './fields.js';
import { withPassword } from './no-password.js';
import { recoveryCodesStep } from './recovery-codes.js';
import { focusTitle, section } from './section.js';
import { setUp } from './set-up.js';
import { forgetUnsaved, hasUnsaved, rememberUnsaved } from './unsaved-codes.js';

/** So few recovery codes are a reason to get new ones. */
const FEW = 3;

/** @param {string} email */
const proofFields = (email) => [...passwordFields(email), codeField()];

/** What the service takes from these fields.
 *
 * @param {Record<string, string>} values
 */
const proofOf = ({ password, ...values }) => ({ password, ...codeProof(values) });

const ERRORS = { wrong_password: 'password', wrong_code: 'code' };

/** @param {import('./section.js').Account} account */
async function renew(account) {
  const { me } = account.state;
  const isDone = await ask({
    title: 'Get new recovery codes',
    text: [element('p', {}, 'The old ones stop working.')],
    fields: proofFields(me.email),
    action: 'Get new codes',
    errors: ERRORS,
    send: async (values) => {
      const wasUnsaved = hasUnsaved(me.id);
      // Before the answer: it may be lost.
      rememberUnsaved(me.id);
      try {
        const answer = await call('POST', 'v1/me/mfa/recovery-codes', proofOf(values));
        const { recovery_codes } = /** @type {{ recovery_codes: string[] }} */ (answer);
        holdPage();
        return recoveryCodesStep(recovery_codes, me.email);
      } catch (error) {
        if (isRefusal(error) && !wasUnsaved) forgetUnsaved();
        throw error;
      }
    },
  });
  letPageGo();
  // Also after Cancel: an earlier answer may have been lost.
  await account.reload();
  if (isDone) notify('Your new recovery codes are in force.');
}

/** @param {import('./section.js').Account} account */
async function remove(account) {
  const isDone = await ask({
    title: 'Turn off the second factor?',
    text: [
      element(
        'p',
        {},
        'From then on, signing in takes no code any more. Your other devices are signed out.',
      ),
    ],
    fields: proofFields(account.state.me.email),
    action: 'Turn off',
    isDangerous: true,
    errors: ERRORS,
    send: async (values) => {
      await call('DELETE', 'v1/me/mfa/totp', proofOf(values));
    },
  });
  if (!isDone) return;
  forgetUnsaved();
  await account.reload();
  notify('The second factor is off. Your other devices were signed out.');
}

/** What to say of the second factor, and whether it is a warning.
 *
 * @param {import('./section.js').State['me']} me
 * @returns {{ text: string, isWarning?: boolean }}
 */
function stateOf({ id, mfa, recovery_codes, email_verified }) {
  if (!mfa && !email_verified)
    return { text: 'Off. To turn it on, first confirm your email address, under Profile.' };
  if (!mfa)
    return {
      text: 'Off. If you turn it on, signing in takes a code from your phone too. A passkey needs none.',
    };
  if (hasUnsaved(id))
    return {
      text: 'On, but your recovery codes may not be saved. Get new ones: without them, you cannot sign in if you lose your phone.',
      isWarning: true,
    };
  const left = `${recovery_codes} recovery ${recovery_codes === 1 ? 'code is' : 'codes are'} left`;
  if (recovery_codes > FEW) return { text: `On, with an authenticator app. ${left}.` };
  return { text: `On, but only ${left}. Get new ones.`, isWarning: true };
}

/**
 * @param {import('./section.js').Account} account
 * @returns {import('./section.js').Section}
 */
export function secondFactor(account) {
  const state = element('p');
  const start = button('Set up', () => withPassword(account, setUp));
  const codes = button('New recovery codes', () => withPassword(account, renew));
  const stop = button('Turn off', () => withPassword(account, remove));
  const node = section(
    'second-factor',
    'Second factor',
    state,
    element('div', { class: 'actions' }, start, codes, stop),
  );
  /** @type {import('./section.js').Section} */
  const self = {
    node,
    show: ({ me }) => {
      const focused = node.contains(document.activeElement);
      const { text, isWarning } = stateOf(me);
      state.textContent = text;
      state.className = isWarning ? 'notice warning' : '';
      start.hidden = me.mfa || !me.email_verified;
      codes.hidden = !me.mfa;
      stop.hidden = !me.mfa;
      if (focused && node.querySelector(':focus') === null) focusTitle(self);
    },
  };
  return self;
}
