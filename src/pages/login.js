import { byId, showStep } from './element.js';
import { onSubmit } from './form.js';
import { notify } from './notice.js';
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

// Unless the user was faster than this script.
if (document.activeElement === document.body) showStep('first-step');

onSubmit(
  passwordForm,
  async ({ email = '', password = '' }) => {
    notify('');
    challenge = await client.login({ email, password });
    if (!challenge) return;
    byId('password', HTMLInputElement).value = '';
    showStep('second-step');
    byId('sign-up-link', HTMLElement).hidden = true;
    showProof(challenge.methods.includes('totp') ? codeForm : recoveryForm);
  },
  { invalid_credentials: 'password' },
);

/** @param {{ code: string } | { recovery_code: string }} proof */
async function prove(proof) {
  if (!challenge) return;
  try {
    await client.answerChallenge(challenge, proof);
  } catch (error) {
    if (codeOf(error) !== 'challenge_invalid') throw error;
    codeForm.reset();
    recoveryForm.reset();
    showStep('first-step');
    notify(sentenceOf(error), 'warning');
    byId('password', HTMLElement).focus();
  }
}
onSubmit(codeForm, ({ code = '' }) => prove({ code: code.replace(/\s/g, '') }), {
  wrong_code: 'code',
  invalid_code: 'code',
});
onSubmit(recoveryForm, ({ recovery_code = '' }) => prove({ recovery_code }), {
  wrong_code: 'recovery_code',
  invalid_code: 'recovery_code',
});
