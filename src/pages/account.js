import { deletion } from './account/deletion.js';
import { devices } from './account/devices.js';
import { identitiesSection } from './account/identities.js';
import { openAccount } from './account/page.js';
import { passkeysSection } from './account/passkeys.js';
import { password } from './account/password.js';
import { profile } from './account/profile.js';
import { secondFactor } from './account/second-factor.js';

/** In the order of the page. */
await openAccount([
  profile,
  password,
  passkeysSection,
  identitiesSection,
  secondFactor,
  devices,
  deletion,
]);
