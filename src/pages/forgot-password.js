import { callOpen } from './api.js';
import { byId, showStep } from './element.js';
import { onSubmit } from './form.js';

// Unless the user was faster than this script.
if (document.activeElement === document.body) showStep('ask');

onSubmit(byId('ask-form', HTMLFormElement), async ({ email = '' }) => {
  await callOpen('v1/password/forgot', { email });
  byId('sent-to', HTMLElement).textContent = email;
  showStep('sent');
});
byId('ask-again', HTMLElement).addEventListener('click', () => showStep('ask'));
