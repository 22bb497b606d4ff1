import { byId, showStep } from './element.js';
import { onSubmit } from './form.js';
import { offerMailCodes } from './mail-code.js';
import { notify } from './notice.js';
import { passkeys, whatWentWrong } from './passkeys.js';
import { client, nextPage, settings } from './session.js';
import { codeOf, sentenceOf } from './words.js';

/** @typedef {import('./client.js').Challenge} Challenge */

const passwordForm = byId('password-form', HTMLFormElement);
const codeForm = byId('code-form', HTMLFormElement);
const recoveryForm = byId('recovery-form', HTMLFormElement);

/** @type {Challenge | undefined} */
let challenge;

const goOn = () => location.replace(nextPage());

// Also a sign-in in another tab.
client.onChange(({ signedIn }) => {
  if (signedIn) goOn();
});
// Who is signed in already goes on; without a network the form stays.
client.token().catch(() => {});

if (new URLSearchParams(location.search).get('ended') === 'refresh_reused')
  notify(
    'You were signed out. Somebody else may have used your session: sign in, then change your password.',
    'warning',
  );
byId('sign-up-link', HTMLElement).hidden = settings.signUp === 'closed';

/** @param {HTMLFormElement} form */
function showProof(form) {
  for (const each of [codeForm, recoveryForm]) each.hidden = each !== form;
  form.querySelector('input')?.focus();
}
byId('use-recovery-code', HTMLElement).addEventListener('click', () => showProof(recoveryForm));
byId('use-code', HTMLElement).addEventListener('click', () => showProof(codeForm));

/** @param {() => Promise<unknown>} use */
async function withPasskey(use) {
  notify('');
  try {
    await use();
  } catch (error) {
    notify(whatWentWrong(error), 'error');
    offerPasskeys();
  }
}

/** Among the suggestions of the address field. Says only what became of a passkey that was chosen. */
function offerPasskeys() {
  passkeys.autofill().catch((error) => {
    if (['passkey_refused', 'passkey_copied'].includes(codeOf(error) ?? ''))
      notify(whatWentWrong(error), 'error');
  });
}

if (passkeys.isSupported) {
  byId('other-ways', HTMLElement).hidden = false;
  byId('passkey', HTMLElement).addEventListener('click', () =>
    withPasskey(() => passkeys.signIn()),
  );
  offerPasskeys();
}

// Unless the user was faster than this script.
if (document.activeElement === document.body) showStep('first-step');

/** @param {Challenge} asked */
function askSecondStep(asked) {
  challenge = asked;
  byId('password', HTMLInputElement).value = '';
  showStep('second-step');
  byId('sign-up-link', HTMLElement).hidden = true;
  byId('passkey-instead', HTMLElement).hidden = !(
    passkeys.isSupported && challenge.methods.includes('passkey')
  );
  showProof(challenge.methods.includes('totp') ? codeForm : recoveryForm);
}

onSubmit(
  passwordForm,
  async ({ email = '', password = '' }) => {
    notify('');
    const asked = await client.login({ email, password });
    if (asked) askSecondStep(asked);
  },
  { invalid_credentials: 'password' },
);
offerMailCodes(passwordForm, askSecondStep);

/** @param {(challenge: Challenge) => Promise<void>} answer */
async function prove(answer) {
  if (!challenge) return;
  try {
    await answer(challenge);
  } catch (error) {
    if (codeOf(error) !== 'challenge_invalid') throw error;
    codeForm.reset();
    recoveryForm.reset();
    showStep('first-step');
    notify(sentenceOf(error), 'warning');
    byId('password', HTMLElement).focus();
  }
}
onSubmit(
  codeForm,
  ({ code = '' }) =>
    prove((asked) => client.answerChallenge(asked, { code: code.replace(/\s/g, '') })),
  { wrong_code: 'code', invalid_code: 'code' },
);
onSubmit(
  recoveryForm,
  ({ recovery_code = '' }) => prove((asked) => client.answerChallenge(asked, { recovery_code })),
  { wrong_code: 'recovery_code', invalid_code: 'recovery_code' },
);
byId('use-passkey', HTMLElement).addEventListener('click', () =>
  withPasskey(() => prove(passkeys.answerChallenge)),
);
