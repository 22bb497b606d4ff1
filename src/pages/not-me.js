import { callOpen } from './api.js';
import { byId, showStep } from './element.js';
import { onSubmit } from './form.js';
import { shownClaim, token } from './link.js';
import { codeOf } from './words.js';

byId('address', HTMLElement).textContent = shownClaim('email') || 'your address';
showStep(token === undefined ? 'missing' : 'disown');

// Not at once: programs that scan mail open its links.
onSubmit(byId('disown-form', HTMLFormElement), async () => {
  try {
    await callOpen('v1/email/not-me', { token });
    showStep('done');
  } catch (error) {
    if (codeOf(error) !== 'link_invalid') throw error;
    showStep('dead');
  }
});
