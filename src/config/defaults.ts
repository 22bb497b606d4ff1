import type { z } from 'zod';
import type { Environment } from './environment.ts';
import { providersIn } from './providers.ts';
import { milliseconds } from './values.ts';

export type Config = Readonly<ReturnType<typeof withDerivedDefaults>>;

/** An address with a name (RFC 5322 section 3.4). The name is quoted, as it may contain a colon or a comma. */
const withName = (address: string, name: string): string =>
  address.includes('<') ? address : `"${name.replaceAll(/["\\]/g, '\\$&')}" <${address.trim()}>`;

/** The variables, with the defaults that depend on other variables. */
export function withDerivedDefaults(variables: z.infer<typeof Environment>) {
  const issuer = variables.ISSUER ?? `http://localhost:${variables.PORT}`;
  const app = variables.APP_URL ?? issuer;
  return {
    ...variables,
    ISSUER: issuer,
    AUDIENCE: variables.AUDIENCE ?? issuer,
    APP_URL: app,
    PASSKEY_RP_ID: variables.PASSKEY_RP_ID ?? new URL(app).hostname,
    OTEL_EXPORTER_OTLP_HEADERS: Object.fromEntries(variables.OTEL_EXPORTER_OTLP_HEADERS),
    PROVIDERS: providersIn(variables),
    MAIL_FROM: withName(variables.MAIL_FROM, variables.PRODUCT_NAME),
    SIGNING_KEYS: variables.SIGNING_KEYS ?? 'data/keys.json',
    SIGN_UP:
      variables.SIGN_UP ??
      (variables.NODE_ENV === 'production' ? ('verified' as const) : ('open' as const)),
    SHUTDOWN_DELAY:
      variables.SHUTDOWN_DELAY ?? (variables.NODE_ENV === 'production' ? milliseconds('5s') : 0),
  };
}
