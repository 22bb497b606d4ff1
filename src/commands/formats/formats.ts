import { aspnet } from './aspnet.ts';
import { auth0 } from './auth0.ts';
import { betterAuth } from './better-auth.ts';
import { django } from './django.ts';
import { firebase } from './firebase.ts';
import type { Format } from './format.ts';
import { keycloak } from './keycloak.ts';
import { laravel } from './laravel.ts';
import { supabase } from './supabase.ts';
import { werkzeug } from './werkzeug.ts';
import { wordpress } from './wordpress.ts';

/** What `import --from` takes. */
export const FORMATS: Readonly<Record<string, Format>> = {
  aspnet,
  auth0,
  'better-auth': betterAuth,
  django,
  firebase,
  keycloak,
  laravel,
  supabase,
  werkzeug,
  wordpress,
};
