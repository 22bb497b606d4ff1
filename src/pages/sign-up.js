import { byId, showStep } from './element.js';
import { onSubmit } from './form.js';
import { shownClaim, token } from './link.js';
import { offerProviders } from './providers.js';
import { client, nextPage, settings } from './session.js';
import { codeOf } from './words.js';

const isOpen = settings.signUp === 'open';

if (isOpen) {
  const fields = byId('at-once', HTMLFieldSetElement);
  fields.hidden = false;
  fields.disabled = false;
  byId('ask-lead', HTMLElement).textContent = `for ${settings.product}`;
  byId('ask-button', HTMLElement).textContent = 'Create my account';
}
offerProviders();
if (settings.signUp === 'closed') showStep('closed');
else if (token !== undefined) {
  const email = shownClaim('sub');
  byId('complete-email', HTMLInputElement).value = email;
  if (email) byId('complete-lead', HTMLElement).textContent = `for ${email}`;
  showStep('complete');
} else {
  showStep('ask');
  client.token().then(
    (isThere) => isThere && location.replace(nextPage()),
    () => {},
  );
}

onSubmit(
  byId('ask-form', HTMLFormElement),
  async ({ email = '', ...rest }) => {
    if (await client.register({ email, ...rest })) {
      location.replace(nextPage());
      return;
    }
    byId('sent-to', HTMLElement).textContent = email;
    showStep('sent');
  },
  { email_taken: 'email' },
);
for (const id of ['ask-again', 'ask-anew'])
  byId(id, HTMLElement).addEventListener('click', () => showStep('ask'));

onSubmit(byId('complete-form', HTMLFormElement), async ({ password = '', ...rest }) => {
  try {
    await client.completeSignUp({ token: token ?? '', password, ...rest });
    location.replace(nextPage());
  } catch (error) {
    if (codeOf(error) !== 'link_invalid') throw error;
    showStep('dead');
  }
});
