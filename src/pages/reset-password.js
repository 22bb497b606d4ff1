import { callOpen } from './api.js';
import { byId, showStep } from './element.js';
import { onSubmit } from './form.js';
import { token } from './link.js';
import { codeOf } from './words.js';

showStep(token === undefined ? 'missing' : 'choose');

onSubmit(byId('choose-form', HTMLFormElement), async ({ password = '' }) => {
  try {
    await callOpen('v1/password/reset', { token, password });
    showStep('done');
  } catch (error) {
    if (codeOf(error) !== 'link_invalid') throw error;
    showStep('dead');
  }
});
