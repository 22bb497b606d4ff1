import { callOpen } from './api.js';
import { byId, showStep } from './element.js';
import { onSubmit } from './form.js';
import { shownClaim, token } from './link.js';
import { codeOf } from './words.js';

byId('address', HTMLElement).textContent = shownClaim('email') || 'this address';
showStep(token === undefined ? 'missing' : 'confirm');

// Not at once: programs that scan mail open its links.
onSubmit(byId('confirm-form', HTMLFormElement), async () => {
  try {
    await callOpen('v1/email/confirm', { token });
    showStep('done');
  } catch (error) {
    if (codeOf(error) !== 'link_invalid') throw error;
    showStep('dead');
  }
});
