import { byId } from './element.js';
import { client, settings } from './session.js';

/** @param {boolean} signedIn */
function show(signedIn) {
  byId('signed-in', HTMLElement).hidden = !signedIn;
  byId('signed-out', HTMLElement).hidden = signedIn;
}

byId('sign-up-link', HTMLElement).hidden = settings.signUp === 'closed';
client.onChange(({ signedIn }) => show(signedIn));
// Without a network the page shows the way in.
client.token().catch(() => {});
// Without a network the client tells the service later.
byId('sign-out', HTMLElement).addEventListener('click', () => client.logout().catch(() => {}));
