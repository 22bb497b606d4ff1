import { byId, showStep } from './element.js';
import { onSubmit } from './form.js';
import { offerMailCodes } from './mail-code.js';
import { notify } from './notice.js';
import { passkeys, whatWentWrong } from './passkeys.js';
import { forget, offerProviders, providerFault } from './providers.js';
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
offerProviders();
if (providerFault()) notify(providerFault(), 'error');
forget('error');

/** What a sign-in with an outside provider is waiting for. In the fragment, no request and no log has it. */
const waiting = new URLSearchParams(location.hash.slice(1));
const mfaToken = waiting.get('mfa_token');
if (mfaToken === null) {
  // Who is signed in already goes on; without a network the form stays.
  client.token().catch(() => {});
}

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

/** @param {Challenge} asked */
function askForFactor(asked) {
  challenge = asked;
  showStep('second-step');
  byId('sign-up-link', HTMLElement).hidden = true;
  byId('passkey-instead', HTMLElement).hidden = !(
    passkeys.isSupported && asked.methods.includes('passkey')
  );
  showProof(asked.methods.includes('totp') ? codeForm : recoveryForm);
}

if (mfaToken !== null) {
  history.replaceState(null, '', location.pathname + location.search);
  const methods = /** @type {Challenge['methods']} */ (waiting.get('methods')?.split(',') ?? []);
  askForFactor({ mfa_token: mfaToken, methods, expires_in: 300 });
  // Unless the user was faster than this script.
} else if (document.activeElement === document.body) showStep('first-step');

onSubmit(
  passwordForm,
  async ({ email = '', password = '' }) => {
    notify('');
    const asked = await client.login({ email, password });
    if (!asked) return;
    byId('password', HTMLInputElement).value = '';
    askForFactor(asked);
  },
  { invalid_credentials: 'password' },
);
offerMailCodes(passwordForm, askForFactor);

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
