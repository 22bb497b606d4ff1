import { createMailCodes } from './client-mail-codes.js';
import { byId, showStep } from './element.js';
import { isFilledIn, onSubmit, showRefusal } from './form.js';
import { notify } from './notice.js';
import { client } from './session.js';

/** Before another code is offered (ms): a mail takes a while, and a network gets three an hour. */
const PATIENCE = 30_000;

const mailCodes = createMailCodes(client);

/** @type {import('./client-mail-codes.js').SentCode | undefined} */
let sent;

/** @param {boolean} isOffered */
function offerAnother(isOffered) {
  byId('mail-code-again', HTMLElement).hidden = !isOffered;
  byId('mail-code-wait', HTMLElement).hidden = isOffered;
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} email */
async function send(email) {
  sent = await mailCodes.send(email);
  offerAnother(false);
  clearTimeout(timer);
  timer = setTimeout(() => offerAnother(true), PATIENCE);
}

/**
 * The work of a button, once at a time. What it throws is shown above the form.
 *
 * @param {string} id of the button
 * @param {HTMLFormElement} form
 * @param {() => Promise<void>} work
 */
function onPress(id, form, work) {
  const button = byId(id, HTMLButtonElement);
  button.addEventListener('click', async () => {
    if (button.getAttribute('aria-disabled') === 'true') return;
    // Not `disabled`: the focus would be lost.
    button.setAttribute('aria-disabled', 'true');
    notify('');
    try {
      await work();
    } catch (error) {
      showRefusal(form, error);
    } finally {
      button.setAttribute('aria-disabled', 'false');
    }
  });
}

/**
 * Sign-in with a code by mail, for the address in the form of the password.
 *
 * @param {HTMLFormElement} passwordForm
 * @param {(challenge: import('./client.js').Challenge) => void} askSecondStep
 */
export function offerMailCodes(passwordForm, askSecondStep) {
  const email = byId('email', HTMLInputElement);
  const code = byId('mail-code', HTMLInputElement);
  const form = byId('mail-code-form', HTMLFormElement);

  onPress('use-mail-code', passwordForm, async () => {
    if (!isFilledIn(email)) return;
    await send(email.value);
    byId('password', HTMLInputElement).value = '';
    byId('code-sent-to', HTMLElement).textContent = email.value;
    form.reset();
    showStep('mail-code-step');
  });
  onPress('send-mail-code-again', form, async () => {
    await send(email.value);
    notify('Another code is on its way. Only the code in the newest email works here.');
    code.focus();
  });
  byId('no-mail-code', HTMLElement).addEventListener('click', () => {
    notify('');
    showStep('first-step');
  });
  onSubmit(
    form,
    async ({ code = '' }) => {
      notify('');
      if (!sent) return;
      const challenge = await mailCodes.signIn(sent, code.replace(/\s/g, ''));
      if (challenge) askSecondStep(challenge);
    },
    { mail_code_refused: 'code' },
  );
}
