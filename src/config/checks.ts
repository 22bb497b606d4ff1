import { existsSync } from 'node:fs';
import { sslmodeOf } from '../schemas/connection-url.ts';
import { isInlineKeySet } from '../schemas/jwk.ts';
import type { Config } from './defaults.ts';
import { WHAT_KEYS_ARE } from './environment.ts';
import { isWithin } from './origin.ts';
import { providerMistakes } from './providers.ts';

/** The machine that the configuration must fit. */
export interface Machine {
  /** Bytes that the container may use; undefined or 0: unknown. */
  memoryLimit?: number | undefined;
}

function contradictions(config: Config): string[] {
  const mistakes: string[] = [];
  if (config.SESSION_IDLE > config.SESSION_MAX)
    mistakes.push('SESSION_IDLE must not be longer than SESSION_MAX');
  if ((config.TLS_CERT === undefined) !== (config.TLS_KEY === undefined))
    mistakes.push('TLS_CERT and TLS_KEY must be set together');
  else if (!existsSync(config.TLS_CERT ?? '.') || !existsSync(config.TLS_KEY ?? '.'))
    mistakes.push('TLS_CERT and TLS_KEY must name files that exist');
  mistakes.push(...unusedAuthority(config));
  if (config.PORT !== 0 && config.PORT === config.METRICS_PORT)
    mistakes.push('METRICS_PORT must not be the same as PORT: metrics must not be public');
  if (!isWithin(new URL(config.APP_URL).hostname, config.PASSKEY_RP_ID))
    mistakes.push('PASSKEY_RP_ID must be the host of APP_URL, or a parent of it');
  if (config.WORKERS > 1 && config.DATABASE_URL === 'file::memory:')
    mistakes.push('WORKERS must be 1 with file::memory:, which only one process can see');
  return mistakes;
}

/** A certificate that is checked against nothing, or an authority that no certificate is checked against. */
function unusedAuthority({ DATABASE_CA, DATABASE_URL }: Config): string[] {
  const mode = sslmodeOf(DATABASE_URL);
  if (DATABASE_CA === undefined)
    return mode === 'verify-ca'
      ? ['DATABASE_CA must be set with sslmode=verify-ca: public authorities sign for anyone']
      : [];
  return mode === undefined || mode === 'disable' || mode === 'no-verify'
    ? ['DATABASE_CA needs sslmode=verify-full (or verify-ca, require) in DATABASE_URL']
    : [];
}

/** Hashing may take half of the memory; the rest of the service needs the other half. Each worker hashes at least once. */
function tooLarge(
  { HASH_CONCURRENCY, HASH_MEMORY, WORKERS }: Config,
  { memoryLimit }: Machine,
): string[] {
  const needed = Math.max(HASH_CONCURRENCY, WORKERS) * HASH_MEMORY * 1_024;
  if (!memoryLimit || needed <= memoryLimit / 2) return [];
  const mega = (bytes: number) => `${Math.ceil(bytes / 1_048_576)} MB`;
  return [
    `${WORKERS > HASH_CONCURRENCY ? 'WORKERS' : 'HASH_CONCURRENCY'} times HASH_MEMORY is ${mega(needed)}, more than half of the ${mega(memoryLimit)} that this container has`,
  ];
}

function unsafeInProduction(config: Config): string[] {
  const mistakes: string[] = [];
  if (!config.ISSUER.startsWith('https://')) mistakes.push('ISSUER must be https in production');
  if (!config.APP_URL.startsWith('https://')) mistakes.push('APP_URL must be https in production');
  if (config.SIGN_UP === 'open' && !config.ALLOW_OPEN_SIGN_UP) {
    mistakes.push(
      'SIGN_UP=open shows strangers which addresses have an account; to allow that, set ALLOW_OPEN_SIGN_UP=true',
    );
  }
  if (config.MAIL_URL.startsWith('file:')) {
    mistakes.push(
      'MAIL_URL must be smtp:// or smtps:// in production: mail in files reaches no one',
    );
  }
  if (!isInlineKeySet(config.SIGNING_KEYS) && !existsSync(config.SIGNING_KEYS)) {
    mistakes.push(
      'SIGNING_KEYS must be a private JWK set or the name of an existing file in production: no keys are made there',
    );
  }
  return mistakes;
}

/** A key file is created only under a name that cannot be a key or a password given by mistake. */
function unlikelyKeyFile({ SIGNING_KEYS }: Config): string[] {
  return isInlineKeySet(SIGNING_KEYS) || existsSync(SIGNING_KEYS) || SIGNING_KEYS.endsWith('.json')
    ? []
    : [
        `SIGNING_KEYS ${WHAT_KEYS_ARE}. The file does not exist, and is created only if its name ends in .json`,
      ];
}

/** What is wrong with a configuration whose variables are each valid, one line per mistake. */
export const mistakesOf = (config: Config, machine: Machine): string[] => [
  ...contradictions(config),
  ...tooLarge(config, machine),
  ...providerMistakes(config, config.NODE_ENV === 'production'),
  ...(config.NODE_ENV === 'production' ? unsafeInProduction(config) : unlikelyKeyFile(config)),
];
